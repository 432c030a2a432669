/** The process ends itself after this; every platform has to wait longer (test/deploy). */
export const HARD_LIMIT_MS = 75_000;
const BOOT_LIMIT_MS = 10_000;
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitCodes;

/**
 * Owns SIGINT and SIGTERM for the whole life of the process, so that there is no instant without a handler. During the
 * boot a signal aborts it (exit 130 or 143, so that a job is not taken as done); afterwards it starts the drain (exit 0).
 * A second signal exits at once. As PID 1 a re-raised signal would be ignored by the kernel, so every path exits explicitly.
 */
export class StopSignals {
  private readonly controller = new AbortController();
  private stop: (() => Promise<void>) | undefined;
  private received: StopSignal | undefined;

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => this.receive(name));
  }

  /** Aborts with the signal's name when one arrives during the boot. */
  get aborted(): AbortSignal {
    return this.controller.signal;
  }

  /** The code a boot that was stopped by a signal exits with. */
  get exitCode(): number | undefined {
    return this.received && exitCodes[this.received];
  }

  /** From now on a signal runs `stop` and exits 0. One that came while the boot was finishing is honoured now. */
  stopWith(stop: () => Promise<void>): void {
    this.stop = stop;
    if (this.received) void this.drain(stop);
  }

  private receive(name: StopSignal): void {
    if (this.received) process.exit(exitCodes[name]);
    this.received = name;
    if (this.stop) void this.drain(this.stop);
    else {
      this.controller.abort(name);
      setTimeout(() => process.exit(exitCodes[name]), BOOT_LIMIT_MS).unref();
    }
  }

  private async drain(stop: () => Promise<void>): Promise<void> {
    setTimeout(() => process.exit(1), HARD_LIMIT_MS).unref();
    try {
      await stop();
      process.exit(0);
    } catch (error) {
      process.stderr.write(
        `the stop failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.exit(1);
    }
  }
}
