import { DomainError } from '../../platform/errors/domain-error.js';

export const lastAdmin = (): DomainError =>
  new DomainError('last_admin', { detail: 'Make somebody else an admin first' });
export const nameTaken = (): DomainError =>
  new DomainError('already_exists', {
    errors: [{ path: 'name', code: 'already_exists', message: 'There is a role of this name' }],
  });
export const setupTokenInvalid = (): DomainError => new DomainError('setup_token_invalid');
/** Nobody gives, takes or overrides what they do not have themselves. */
export const exceeds = (permission: string): DomainError =>
  new DomainError('forbidden', { permission, detail: `You lack ${permission} yourself` });
