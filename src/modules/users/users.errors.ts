import { DomainError, validationFailed } from '../../platform/errors/domain-error.js';

/** One answer for unknown accounts, wrong passwords and accounts without a password. */
export const invalidCredentials = () => new DomainError('invalid_credentials');
export const accountSuspended = () => new DomainError('account_suspended');
export const registrationClosed = () => new DomainError('registration_closed');
/** One answer for wrong, expired and used codes and for too many tries. */
export const otpInvalid = () => new DomainError('otp_invalid');
export const refreshInvalid = () => new DomainError('refresh_invalid');
export const refreshReused = () => new DomainError('refresh_reused');
export const blocked = () => new DomainError('blocked');
export const privacyRestricted = () => new DomainError('privacy_restricted');
export const notYourself = () =>
  validationFailed({ path: 'userId', code: 'yourself', message: 'Not possible with yourself' });
export const taken = (path: string) =>
  new DomainError('already_exists', {
    detail: `${path} is taken`,
    errors: [{ path, code: 'already_exists', message: 'Taken' }],
  });
