/** RFC 9457, as the server answers it. */
export interface Problem {
  code: string;
  status: number;
  title: string;
  detail: string;
  requestId?: string;
  retryAfterMs?: number;
  errors?: { path: string; code: string; message: string }[];
  [member: string]: unknown;
}

/** A refusal of the server, or `offline`, `timeout`, `closed` when there was no answer (status 0). */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: string;
  readonly status: number;

  constructor(
    readonly problem: Problem,
    options?: ErrorOptions,
  ) {
    super(`${problem.code}: ${problem.detail}`, options);
    this.code = problem.code;
    this.status = problem.status;
  }

  /** Milliseconds the server asked to wait. */
  get retryAfterMs(): number | undefined {
    return this.problem.retryAfterMs;
  }

  /** Whether the same request may succeed later without anybody's doing (protocol, section 2). */
  get retryable(): boolean {
    if (this.code === 'closed') return false;
    return [0, 429, 500, 503].includes(this.status) || this.code === 'idempotency_in_progress';
  }
}

/** There was no answer. */
export const noAnswer = (code: 'offline' | 'timeout' | 'closed', detail: string, cause?: unknown): ParleyError =>
  new ParleyError({ code, status: 0, title: 'No answer', detail }, { cause });

export const toParleyError = (thrown: unknown): ParleyError =>
  thrown instanceof ParleyError ? thrown : noAnswer('offline', String(thrown), thrown);

const BASE_MS = 500;
const MAX_MS = 30_000;

/** How long to wait before try number `attempt` (from 1): at least what the server asked, else exponential with jitter. */
export function backoffMs(attempt: number, error?: ParleyError): number {
  const ceiling = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.max(error?.retryAfterMs ?? 0, ceiling / 2 + (Math.random() * ceiling) / 2);
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
