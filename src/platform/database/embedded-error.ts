/** The embedded PostgreSQL cannot be used; `hint` says what to do about it. The data directory is never changed by the refusal. */
export class EmbeddedPostgresError extends Error {
  readonly exitCode = 22;

  constructor(
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}
