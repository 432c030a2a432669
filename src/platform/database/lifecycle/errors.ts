/** What stopped the lifecycle, by the exit code that the process ends with. Shared by boot and the command line. */
export const exitCodes = {
  unexpected: 1,
  config: 10,
  connect: 11,
  lock: 12,
  migration: 13,
  checksum: 14,
  incompatible: 15,
  schema: 16,
  seed: 17,
  pooler: 18,
  decision: 19,
  no_progress: 20,
  server: 24,
  interrupted: 130,
  terminated: 143,
} as const;

export type LifecycleErrorKind = keyof typeof exitCodes;

/** States an operator can end from another shell while the boot waits; everything else ends the boot. */
const blockedKinds: ReadonlySet<LifecycleErrorKind> = new Set(['checksum', 'incompatible', 'schema', 'decision']);

export interface LifecycleErrorInit {
  /** The next step, in words an operator can act on. */
  hint?: string;
  /** Facts for logs, probes and `--json`. Never a secret: everything passes `redact`. */
  details?: Readonly<Record<string, unknown>>;
  /** SQLSTATE or Prisma code. */
  code?: string;
  cause?: unknown;
}

export class LifecycleError extends Error {
  readonly exitCode: number;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly kind: LifecycleErrorKind,
    message: string,
    init: LifecycleErrorInit = {},
  ) {
    super(redact(message), init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'LifecycleError';
    this.exitCode = exitCodes[kind];
    this.code = init.code;
    this.hint = init.hint === undefined ? undefined : redact(init.hint);
    this.details = init.details ?? {};
  }

  get blocked(): boolean {
    return blockedKinds.has(this.kind);
  }
}

/** The boot was stopped by a signal. `AbortController.abort('SIGINT')` gives exit 130, anything else 143. */
export function aborted(reason: unknown): LifecycleError {
  return reason instanceof LifecycleError
    ? reason
    : new LifecycleError(reason === 'SIGINT' ? 'interrupted' : 'terminated', 'boot stopped by a signal');
}

/**
 * The one redactor. Removes credentials and query strings of connection URLs and `password=...` pairs, so that a text
 * may enter a log, a probe body or an audit row.
 */
export function redact(text: string): string {
  return text
    .replace(/\b(postgres(?:ql)?:\/\/)([^\s:@/?#"']*)(?::[^\s"']*)?@([^\s?"'@]*)(\?[^\s"']*)?/gi, '$1$2@$3')
    .replace(/\b(postgres(?:ql)?:\/\/[^\s?"']*)\?[^\s"']*/gi, '$1')
    .replace(
      /\b((?:password|passwd|pwd)["']?\s*(?:[=:]\s*|\s(?=')))(?:'[^']*'|"([^"]*)"|[^\s,;&}]+)/gi,
      (_all, key: string, quoted?: string) => `${key}${quoted === undefined ? '***' : '"***"'}`,
    );
}

/** SQLSTATE, Node error code, or undefined. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return redact(error instanceof Error ? error.message : String(error));
}
