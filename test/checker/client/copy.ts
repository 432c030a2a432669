import type { Row } from '../history.js';

/** What a device holds of one conversation, kept by client rules 1 and 3 of the protocol. */
export class Copy {
  readonly rows = new Map<string, number>();
  /** The newest message it has seen. */
  lastSeq = 0;
  private held: { from: number; row: Row }[] = [];

  constructor(public position: number) {}

  /** A live change. False when something before it is missing: it is held until `repaired`. */
  take(from: number, row: Row): boolean {
    if (row.rev <= this.position) return true;
    if (from > this.position) {
      this.held.push({ from, row });
      return false;
    }
    this.put(row);
    this.position = row.rev;
    return true;
  }

  /** A page read from the server. */
  fill(rows: readonly Row[], upTo: number): void {
    for (const row of rows) if (row.rev > this.position) this.put(row);
    this.position = Math.max(this.position, upTo);
  }

  /** The held changes; false when they still leave a gap. */
  takeHeld(): boolean {
    const held = this.held.toSorted((a, b) => a.row.rev - b.row.rev);
    this.held = [];
    return held.map(({ from, row }) => this.take(from, row)).every(Boolean);
  }

  private put(row: Row): void {
    if (row.t !== 'void') this.rows.set(row.key, row.rev);
    if (row.seq !== undefined) this.lastSeq = Math.max(this.lastSeq, row.seq);
  }
}
