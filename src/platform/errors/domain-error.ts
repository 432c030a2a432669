import { type ErrorCode, statusOf, titleOf } from './error-codes.js';

/** One faulty member of a request; `path` is dotted, empty for the whole. */
export interface FieldError {
  path: string;
  code: string;
  message: string;
}

/** What a code may carry beside itself; every member is shown to the caller. */
export interface ErrorDetails {
  detail?: string;
  errors?: readonly FieldError[];
  permission?: string;
  rule?: string;
  scope?: string;
  limit?: string;
  max?: number;
  callId?: string;
  /** Milliseconds after which a repeat makes sense; becomes Retry-After. */
  retryAfterMs?: number;
}

/** An expected refusal. Everything else that is thrown answers `internal_error` and says nothing. */
export class DomainError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(details.detail ?? titleOf(code), options);
    this.name = 'DomainError';
  }

  get status(): number {
    return statusOf(this.code);
  }
}

export const notFound = (): DomainError => new DomainError('not_found');
export const invalidState = (detail: string): DomainError => new DomainError('invalid_state', { detail });
export const validationFailed = (...errors: FieldError[]): DomainError =>
  new DomainError('validation_failed', {
    detail: errors.map((e) => (e.path ? `${e.path}: ${e.message}` : e.message)).join('; '),
    errors,
  });
