import { monotonicMs } from './clock.js';

/**
 * What is known for so many ms and then forgotten, whether or not somebody asks again; at most `max` of it. All of it lives
 * equally long, so that the first entries are the oldest, and each new one makes room.
 */
export class BriefMemory<Value> {
  private readonly entries = new Map<string, { value: Value; until: number }>();

  constructor(
    private readonly ms: number,
    private readonly max: number,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > monotonicMs() ? entry.value : undefined;
  }

  set(key: string, value: Value): void {
    const at = monotonicMs();
    this.entries.delete(key);
    for (const [oldest, { until }] of this.entries) {
      if (until > at && this.entries.size < this.max) break;
      this.entries.delete(oldest);
    }
    this.entries.set(key, { value, until: at + this.ms });
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  deleteWhere(fits: (value: Value) => boolean): void {
    for (const [key, { value }] of this.entries) if (fits(value)) this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}
