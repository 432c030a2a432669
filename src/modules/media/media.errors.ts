import { DomainError, invalidState, notFound, validationFailed } from '../../platform/errors/domain-error.js';

export { notFound };
export const tooLarge = (max: number) => new DomainError('payload_too_large', { detail: `At most ${max} bytes`, max });
export const typeNotAccepted = (mime: string) =>
  new DomainError('unsupported_media_type', { detail: `${mime} is not accepted here` });
export const quotaExceeded = (max: number) =>
  new DomainError('quota_exceeded', { detail: `At most ${max} bytes in 24 hours`, limit: 'media_bytes', max });
export const uploadMissing = () => new DomainError('upload_missing');
export const partsMissing = (parts: readonly number[]) =>
  new DomainError('upload_missing', {
    detail: `${parts.length} parts are missing or of another size, the first is ${parts[0]}`,
  });
export const unknownPart = (count: number) =>
  validationFailed({ path: 'from', code: 'too_big', message: `The file has ${count} parts` });
export const notInParts = () => invalidState('The file is sent in one piece');
export const uploadOver = (state: string) => invalidState(`The file is ${state}, nothing more is to be sent`);
export const uploadExpired = () => new DomainError('upload_expired');
export const uploadInProgress = () => new DomainError('idempotency_in_progress');
export const mediaRejected = (reason: string) => new DomainError('media_rejected', { detail: `Rejected: ${reason}` });
export const signatureInvalid = () => new DomainError('signature_invalid');
export const notReady = (state: string) => invalidState(`The file is ${state}`);
export const notQuarantined = (state: string) => invalidState(`The file is ${state}, not quarantined`);
export const stillBound = () => invalidState('The file is still shown somewhere');
export const unknownAvatar = () =>
  validationFailed({ path: 'avatarMediaId', code: 'unknown_media', message: 'No such file of yours that is an image' });
