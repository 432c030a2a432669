interface Row {
  rev: number;
}

export interface FeedPort<R extends Row> {
  /** The next row, in order. */
  apply(row: R): void;
  /** Asks for what came after a position; answered by `load` and `proceed`. */
  ask(after: number): object;
  /** A change cannot be applied: something between `position` and `from` is missing. */
  gap?(from: number): void;
}

/**
 * A position in a sequence of changes, and the rule that none is applied before an earlier one (protocol, section 6.1):
 * what joins is applied, what is older is dropped, what is further on waits until the gap before it is filled.
 */
export class Feed<R extends Row> {
  /** Live changes that cannot be applied yet. */
  private held: (R & { from: number })[] = [];
  private asked: object | undefined;
  private paused = true;

  constructor(
    private at: number,
    private readonly port: FeedPort<R>,
  ) {}

  get position(): number {
    return this.at;
  }
  get settled(): boolean {
    return !this.paused && this.asked === undefined;
  }

  /** Holds what arrives; an answer under way is ignored from now on. */
  pause(): void {
    this.paused = true;
    this.asked = undefined;
  }

  /** Applies what was held. */
  resume(): void {
    this.paused = false;
    this.drain();
  }

  /** Gives away what was held. */
  take(): (R & { from: number })[] {
    const held = this.held;
    this.held = [];
    return held;
  }

  /** Everything up to `position` came, or went, by other means. */
  jump(position: number): void {
    this.at = position;
  }

  live(change: R & { from: number }): void {
    this.held.push(change);
    if (this.settled) this.drain();
  }

  /** The server is at `rev`. */
  hint(rev: number): void {
    if (rev > this.at && this.settled) this.repair();
  }

  /** A row of an own command's answer. Whether it was the very next one, and is applied. */
  own(row: R): boolean {
    if (!this.settled || row.rev !== this.at + 1) return false;
    this.step(row);
    return true;
  }

  /** Rows that bring the feed to `upTo`, as an answer of sync or changes has them. */
  load(rows: readonly R[], upTo: number): void {
    for (const row of rows) if (row.rev > this.at) this.step(row);
    this.at = Math.max(this.at, upTo);
  }

  repair(): void {
    this.asked = this.port.ask(this.at);
  }

  /** After the rows of an answer were loaded: asks for the next page, or applies what was held. */
  proceed(more: boolean): void {
    this.asked = undefined;
    if (more) this.repair();
    else this.drain();
  }

  isAsking(asked: object): boolean {
    return asked === this.asked;
  }

  private step(row: R): void {
    // First the position: what applying triggers must see it.
    this.at = row.rev;
    this.port.apply(row);
  }

  private drain(): void {
    const waiting = this.held.toSorted((a, b) => a.rev - b.rev);
    this.held = [];
    for (const [i, change] of waiting.entries()) {
      if (change.rev <= this.at) continue;
      if (this.settled && change.from <= this.at) {
        this.step(change);
        continue;
      }
      this.held.push(...waiting.slice(i));
      if (this.settled) {
        this.port.gap?.(change.from);
        this.repair();
      }
      return;
    }
  }
}
