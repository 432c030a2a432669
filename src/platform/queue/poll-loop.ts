import { jitter, monotonicMs } from '../clock/clock.js';

const POLL_MS = 1000;

/** Repeats a pass: at once while there is more, else when somebody hurries it, or after about a second. */
export class PollLoop {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private hurried = false;
  private wake: () => void = () => undefined;

  /**
   * @param pass one round, true when there may be more; it never rejects
   * @param gatherMs least time between the beginnings of two rounds of which the first found all there was
   */
  constructor(
    private readonly pass: () => Promise<boolean>,
    private readonly gatherMs = 0,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when the round under way is over. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.hurry();
    await this.running;
  }

  /** Looks at once instead of at the next poll. */
  hurry(): void {
    this.hurried = true;
    this.wake();
  }

  /** What is due later than the next polls is found by one of them. */
  hurryIn(ms: number): void {
    if (ms <= 0) this.hurry();
    else if (ms < 10 * POLL_MS) setTimeout(() => this.hurry(), ms + 1).unref();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.hurried = false;
      const startedAt = monotonicMs();
      if (await this.pass()) continue;
      if (!this.hurried) await this.rest(POLL_MS + jitter(POLL_MS / 5));
      const early = startedAt + this.gatherMs - monotonicMs();
      if (early > 0 && !this.stopping.signal.aborted) await new Promise((resolve) => setTimeout(resolve, early));
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
