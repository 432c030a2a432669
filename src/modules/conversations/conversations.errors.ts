import { DomainError, invalidState } from '../../platform/errors/domain-error.js';

export const roleInsufficient = () => new DomainError('role_insufficient');
export const lastOwner = () => new DomainError('last_owner');
export const inviteExpired = () => new DomainError('invite_expired');
export const notInDirect = () => invalidState('Not possible in a direct conversation');
export const limitExceeded = (limit: string, max: number) =>
  new DomainError('limit_exceeded', { limit, max, detail: `At most ${max} ${limit}` });
