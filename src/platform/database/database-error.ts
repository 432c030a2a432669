import { DomainError } from '../errors/domain-error.js';

/** Classes under which database errors are counted and logged. */
export type DatabaseErrorClass =
  'unreachable' | 'auth' | 'timeout' | 'conflict' | 'notfound' | 'schema' | 'capacity' | 'internal';

export interface DatabaseFault {
  class: DatabaseErrorClass;
  /** SQLSTATE, Prisma or Node code; undefined where the driver gives none. */
  code: string | undefined;
  answer: () => DomainError;
}

const unavailable = () => new DomainError('database_unavailable');
const overloaded = () => new DomainError('overloaded');
const busyConversation = () => new DomainError('overloaded', { scope: 'conversation' });
const missing = () => new DomainError('not_found');
const exists = () => new DomainError('already_exists');
const badReference = () => new DomainError('invalid_state', { detail: 'A referenced record does not exist' });
const badValue = () => new DomainError('validation_failed', { detail: 'A value is outside the range of its type' });

type Row = readonly [DatabaseErrorClass, () => DomainError];

/** SQLSTATE first: raw queries arrive from Prisma as P2010 whatever happened. */
const bySqlState: Record<string, Row> = {
  '57014': ['timeout', unavailable],
  '55P03': ['conflict', busyConversation],
  '57P01': ['unreachable', unavailable],
  '57P02': ['unreachable', unavailable],
  '57P03': ['unreachable', unavailable],
  '40001': ['conflict', overloaded],
  '40P01': ['conflict', overloaded],
  '25006': ['unreachable', unavailable],
  '25P03': ['timeout', unavailable],
  '25P04': ['timeout', unavailable],
  '53100': ['capacity', unavailable],
  '53200': ['capacity', unavailable],
  '53300': ['capacity', unavailable],
  '0A000': ['schema', unavailable],
  '26000': ['schema', unavailable],
  '42P01': ['schema', unavailable],
  '42703': ['schema', unavailable],
  '42883': ['schema', unavailable],
  '42501': ['auth', unavailable],
  '28P01': ['auth', unavailable],
  '28000': ['auth', unavailable],
  '3D000': ['unreachable', unavailable],
  '23505': ['conflict', exists],
  '23503': ['conflict', badReference],
  PA404: ['notfound', missing],
  PA403: ['notfound', missing],
};

const byCode: Record<string, Row> = {
  P1000: ['auth', unavailable],
  P1001: ['unreachable', unavailable],
  P1002: ['timeout', unavailable],
  P1003: ['unreachable', unavailable],
  P1008: ['timeout', unavailable],
  P2002: ['conflict', exists],
  P2003: ['conflict', badReference],
  P2000: ['conflict', badValue],
  P2021: ['schema', unavailable],
  P2022: ['schema', unavailable],
  P2023: ['conflict', badValue],
  P2025: ['notfound', missing],
  P2028: ['timeout', unavailable],
  P2034: ['conflict', overloaded],
  P2037: ['capacity', unavailable],
  P2039: ['conflict', busyConversation],
  ECONNREFUSED: ['unreachable', unavailable],
  ECONNRESET: ['unreachable', unavailable],
  ENOTFOUND: ['unreachable', unavailable],
  EAI_AGAIN: ['unreachable', unavailable],
  EHOSTUNREACH: ['unreachable', unavailable],
  ENETUNREACH: ['unreachable', unavailable],
  EPIPE: ['unreachable', unavailable],
  ETIMEDOUT: ['timeout', unavailable],
};

/** What pg raises without a code. */
const byMessage: readonly [RegExp, Row][] = [
  [/timeout exceeded when trying to connect/i, ['capacity', overloaded]],
  [/timeout expired|connection timeout|connection terminated due to connection timeout/i, ['timeout', unavailable]],
  [/query read timeout/i, ['timeout', unavailable]],
  [
    /connection terminated|client has encountered a connection error|cannot use a pool after calling end/i,
    ['unreachable', unavailable],
  ],
];

interface Coded {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } };
  errors?: unknown[];
}

/** Reads what went wrong from SQLSTATE, then Prisma or Node code, then the text. */
export function classify(error: unknown): DatabaseFault {
  const thrown = (error ?? {}) as Coded;
  const inner = thrown.errors?.[0] as Coded | undefined;
  const sqlState = thrown.meta?.driverAdapterError?.cause?.originalCode ?? thrown.code ?? inner?.code;
  const code = typeof sqlState === 'string' ? sqlState : undefined;
  const row =
    (code !== undefined ? (bySqlState[code] ?? byCode[code] ?? byFamily(code)) : undefined) ??
    bySocketFile(thrown) ??
    byText(thrown.message);
  return row
    ? { class: row[0], code, answer: row[1] }
    : { class: 'internal', code, answer: () => new DomainError('internal_error', {}, { cause: error }) };
}

function byFamily(code: string): Row | undefined {
  if (/^08...$/.test(code)) return ['unreachable', unavailable];
  if (/^22...$/.test(code)) return ['conflict', badValue];
  return undefined;
}

/** A server on a Unix socket that is gone leaves no file to connect to. Other missing files are no matter of the database. */
const bySocketFile = ({ code, syscall }: Coded): Row | undefined =>
  code === 'ENOENT' && syscall === 'connect' ? ['unreachable', unavailable] : undefined;

const byText = (message: unknown): Row | undefined =>
  typeof message === 'string' ? byMessage.find(([pattern]) => pattern.test(message))?.[1] : undefined;

const isDatabaseError = (error: unknown): boolean => {
  const thrown = (error ?? {}) as Coded & { severity?: unknown };
  return (
    typeof thrown.severity === 'string' ||
    (typeof thrown.code === 'string' && thrown.code in byCode) ||
    (bySocketFile(thrown) ?? byText(thrown.message)) !== undefined
  );
};

/** For the error filter: what a database failure answers, undefined when it is none. */
export function translateDatabaseError(error: unknown): DomainError | undefined {
  if (!isDatabaseError(error)) return undefined;
  const answer = classify(error).answer();
  return answer.code === 'internal_error' ? undefined : new DomainError(answer.code, answer.details, { cause: error });
}

/** SQLSTATE of an error raised by the server, undefined for anything else. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = classify(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !(code in byCode) ? code : undefined;
}

/** Name of the constraint that refused a row. */
export const constraintOf = (error: unknown): string | undefined => {
  const { constraint } = (error ?? {}) as { constraint?: unknown };
  return typeof constraint === 'string' ? constraint : undefined;
};

/** What a function of ours that refused added for its caller. */
export const detailOf = (error: unknown): string | undefined => {
  const { detail } = (error ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : undefined;
};

/** Whether repeating the whole transaction may succeed. */
export const isTransient = (error: unknown): boolean => ['40001', '40P01'].includes(classify(error).code ?? '');

/** Whether the connection or the server is the reason, so that asking again later makes sense. */
export const isOutage = (error: unknown): boolean =>
  ['unreachable', 'timeout', 'auth', 'capacity'].includes(classify(error).class);
