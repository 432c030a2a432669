import { DomainError, type FieldError } from './domain-error.js';
import { type ErrorCode, titleOf } from './error-codes.js';

/** RFC 9457 problem details: the REST body of a failure, the `error` of a failed ack and the `data` of a connect_error. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  requestId: string;
  errors: readonly FieldError[];
  [member: string]: unknown;
}

/** Retry hints carry up to a fifth of jitter, so that those refused together do not return together. */
export function toProblem(
  error: DomainError,
  instance: string,
  requestId: string,
  jitter: (max: number) => number,
): Problem {
  const { detail, errors, retryAfterMs, ...members } = error.details;
  const retry = retryAfterMs ?? (error.status === 503 ? 1000 : undefined);
  return {
    type: `urn:parley:problem:${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: detail ?? titleOf(error.code),
    instance,
    code: error.code,
    requestId,
    errors: errors ?? [],
    ...members,
    ...(retry === undefined ? {} : { retryAfterMs: Math.ceil(retry) + jitter(retry / 5) }),
  };
}

/** Seconds for the Retry-After header: rounded up, at least 1. */
export const retryAfterSeconds = (problem: Problem): number | undefined =>
  typeof problem['retryAfterMs'] === 'number' ? Math.max(1, Math.ceil(problem['retryAfterMs'] / 1000)) : undefined;
