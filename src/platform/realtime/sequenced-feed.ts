/** What a feed needs from outside: rows it has missed, and a way to its listeners. */
export interface FeedPorts<Change> {
  /** Rows above a position by rev, and the position reached with them; never beyond what is committed. */
  read(after: number): Promise<{ changes: Change[]; upTo: number; more: boolean }>;
  /** Looks up what emitting these will need; undefined when nothing has to be awaited. */
  prepare(changes: readonly Change[]): Promise<void> | undefined;
  /** Tells the listeners a change that takes them from position `from` to `change.rev`. */
  emit(change: Change, from: number): void;
  /** Tells the listeners to move on to a position no row stands for any more. */
  skip(rev: number, from: number): void;
  /** Rows could not be read; the next hint or the anti-entropy pass tries again. */
  failed(error: unknown): void;
}

/**
 * One feed on one replica. Changes and positions come in any order, doubled, late or not at all; out come ranges
 * `(from, rev]` that join without gap or overlap: the next change is told, an older one dropped, and a jump reads the
 * missing rows first. Nothing is awaited while changes come in order.
 */
export class SequencedFeed<Change extends { rev: number }> {
  /** Everything up to here is known; `told` may lag behind it by revs no row stands for any more. */
  private known: number;
  private target: number;
  private told: number;
  private waiting: Map<number, Change> | undefined;
  private working: Promise<void> | undefined;
  private closed = false;

  constructor(
    position: number,
    private readonly ports: FeedPorts<Change>,
  ) {
    this.known = position;
    this.target = position;
    this.told = position;
  }

  /** Listeners have been told everything up to here. */
  get position(): number {
    return this.told;
  }

  /** Changes made on this replica, with their rows at hand. */
  apply(changes: readonly Change[]): void {
    if (this.closed) return;
    if (this.working || !this.follows(changes)) {
      for (const change of changes) this.remember(change);
      return this.work();
    }
    const ready = this.ports.prepare(changes);
    if (ready) this.begin(ready.then(() => this.emitAll(changes)));
    else this.emitAll(changes);
  }

  /** The feed has reached this position somewhere. */
  advance(rev: number): void {
    if (rev > this.target) this.target = rev;
    this.work();
  }

  /** The same; resolves when everything that was to be told has been. */
  async reach(rev: number): Promise<void> {
    this.advance(rev);
    while (this.working) await this.working;
  }

  /** Nothing is told any more. */
  close(): void {
    this.closed = true;
    this.waiting = undefined;
  }

  private follows(changes: readonly Change[]): boolean {
    return changes.every((change, i) => change.rev === this.known + 1 + i);
  }

  private remember(change: Change): void {
    if (change.rev <= this.known) return;
    (this.waiting ??= new Map()).set(change.rev, change);
    if (change.rev > this.target) this.target = change.rev;
  }

  private work(): void {
    if (!this.working && !this.closed && this.known < this.target) this.begin(this.catchUp());
  }

  /** One piece of work at a time; it never rejects. */
  private begin(work: Promise<void>): void {
    this.working = work
      .catch((error: unknown) => {
        this.giveUp();
        this.ports.failed(error);
      })
      .then(() => {
        this.working = undefined;
        this.work();
      });
  }

  private async catchUp(): Promise<void> {
    // What is announced in the same breath may close the gap.
    if (!this.waiting?.has(this.known + 1)) await Promise.resolve();
    while (!this.closed && this.known < this.target) {
      const run = this.takeRun();
      if (run.length > 0) await this.tell(run);
      else if (!(await this.readOn())) break;
    }
    this.waiting = undefined;
    if (this.closed || this.told === this.known) return;
    this.ports.skip(this.known, this.told);
    this.told = this.known;
  }

  /** False when the tables do not have what was announced: then the announcement is forgotten. */
  private async readOn(): Promise<boolean> {
    const { changes, upTo, more } = await this.ports.read(this.known);
    const news = changes.filter((change) => change.rev > this.known);
    if (news.length === 0 && upTo <= this.known) {
      this.giveUp();
      return false;
    }
    await this.tell(news);
    this.known = Math.max(this.known, upTo);
    if (more && this.target <= this.known) this.target = this.known + 1;
    return true;
  }

  private takeRun(): Change[] {
    const run: Change[] = [];
    if (!this.waiting) return run;
    for (let next = this.waiting.get(this.known + 1); next; next = this.waiting.get(next.rev + 1)) run.push(next);
    for (const rev of this.waiting.keys()) if (rev <= this.known + run.length) this.waiting.delete(rev);
    if (this.waiting.size === 0) this.waiting = undefined;
    return run;
  }

  private async tell(changes: readonly Change[]): Promise<void> {
    const ready = this.ports.prepare(changes);
    if (ready) await ready;
    this.emitAll(changes);
  }

  private emitAll(changes: readonly Change[]): void {
    for (const change of changes) {
      if (this.closed) return;
      const from = this.told;
      this.told = change.rev;
      this.known = Math.max(this.known, change.rev);
      this.target = Math.max(this.target, change.rev);
      this.ports.emit(change, from);
    }
  }

  private giveUp(): void {
    this.waiting = undefined;
    this.target = this.known;
  }
}
