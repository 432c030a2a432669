/** What a log line says of an error. */
export interface ErrorFields {
  type: string;
  message: string;
  stack: string;
  /** Of the operating system, PostgreSQL or a library. */
  code?: string;
  status?: number;
  /** The code once more when PostgreSQL gave it: the log hides what is called a code, which may be a secret. */
  sqlstate?: string;
  cause?: ErrorFields;
}

const MOST_CAUSES = 3;

/** Five characters with a digit; Prisma's own codes look alike. */
const SQLSTATE = /^(?!P[12])(?=.*\d)[0-9A-Z]{5}$/;

/**
 * An allow-list: libraries hang requests, rows and parameters on their errors (PostgreSQL quotes the offending key in
 * `detail`), and none of that belongs into a log.
 */
export function errorFields(thrown: unknown, depth = MOST_CAUSES): ErrorFields {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code, status } = error as { code?: unknown; status?: unknown };
  return {
    type: error.name === 'Error' ? error.constructor.name : error.name,
    message: error.message,
    stack: error.stack ?? '',
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof code === 'string' && SQLSTATE.test(code) ? { sqlstate: code } : {}),
    ...(error.cause instanceof Error && depth > 0 ? { cause: errorFields(error.cause, depth - 1) } : {}),
  };
}
