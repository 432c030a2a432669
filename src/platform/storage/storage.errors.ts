import { DomainError } from '../errors/domain-error.js';

const RETRY_AFTER_MS = 5000;

/** The store does not do its work; the cause stays in the log. */
export const storageDown = (cause: unknown): DomainError =>
  new DomainError(
    'dependency_unavailable',
    { detail: 'The file storage is not available', retryAfterMs: RETRY_AFTER_MS },
    { cause },
  );
