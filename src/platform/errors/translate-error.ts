import { HttpException } from '@nestjs/common';
import { DomainError, type FieldError } from './domain-error.js';
import type { ErrorCode } from './error-codes.js';

type Translator = (error: unknown) => DomainError | undefined;
const translators: Translator[] = [];

/** Lets a capability below the modules say what its own failures mean (the database does). First answer wins. */
export function registerErrorTranslator(translator: Translator): void {
  if (!translators.includes(translator)) translators.push(translator);
}

const byStatus: Partial<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  416: 'range_not_satisfiable',
};

/** What any thrown thing means to a caller. Unknown things are `internal_error` with the cause attached and nothing shown. */
export function translateError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  for (const translate of translators) {
    const translated = translate(error);
    if (translated) return translated;
  }
  if (error instanceof HttpException)
    return new DomainError(byStatus[error.getStatus()] ?? 'internal_error', {}, { cause: error });
  // body-parser and friends throw plain errors with a status and a `type`; their texts may echo input and are not shown.
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown };
  if (typeof status === 'number' && typeof type === 'string' && status < 500) {
    return new DomainError(byStatus[status] ?? 'malformed_request', {}, { cause: error });
  }
  return new DomainError('internal_error', {}, { cause: error });
}

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
  code?: string;
  params?: { code?: unknown } | undefined;
}

/** The answer to a request that a schema refused. */
export function fromIssues(issues: readonly Issue[]): DomainError {
  const errors: FieldError[] = issues.slice(0, 20).map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    code: typeof issue.params?.code === 'string' ? issue.params.code : (issue.code ?? 'invalid'),
    message: issue.message,
  }));
  const detail = errors.map((e) => (e.path ? `${e.path}: ${e.message}` : e.message)).join('; ');
  return new DomainError('validation_failed', { detail, errors });
}
