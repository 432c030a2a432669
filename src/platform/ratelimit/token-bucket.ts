import { monotonicMs } from '../clock/clock.js';
import type { Quota, Rule } from './rules.js';

const MAX_KEYS = 100_000;
const SWEEP_MS = 60_000;
/** Times are fractions of a ms: sums of them are off by less than this, which must not refuse anybody. */
const ROUNDING_MS = 0.01;

/**
 * Steady rate with a burst, in the memory of one replica: the generic cell rate algorithm (ITU-T I.371), which keeps a
 * single number per key, the time at which the bucket will be full again.
 */
export class TokenBucket {
  private readonly fullAt = new Map<string, number>();
  private sweptAt = monotonicMs();
  private readonly interval: number;
  private readonly capacity: number;

  constructor(
    private readonly name: string,
    private readonly rule: Rule,
  ) {
    this.interval = (rule.seconds * 1000) / rule.points;
    this.capacity = (rule.burst || rule.points) * this.interval;
  }

  take(key: string): Quota {
    const at = monotonicMs();
    const fullAt = Math.max(this.fullAt.get(key) ?? 0, at) + this.interval;
    const overdraft = fullAt - at - this.capacity;
    const exceeded = overdraft > ROUNDING_MS;
    if (!exceeded) this.remember(key, fullAt, at);
    return {
      rule: this.name,
      exceeded,
      limit: this.rule.points,
      windowSeconds: this.rule.seconds,
      remaining: exceeded ? 0 : Math.max(0, Math.floor((ROUNDING_MS - overdraft) / this.interval)),
      resetMs: exceeded ? overdraft : fullAt - at,
    };
  }

  forget(key: string): void {
    this.fullAt.delete(key);
  }

  /** Full buckets mean nothing: they go once a minute. If there are too many for that, the oldest entries go. */
  private remember(key: string, fullAt: number, at: number): void {
    if (at >= this.sweptAt + SWEEP_MS) {
      this.sweptAt = at;
      for (const [known, full] of this.fullAt) if (full <= at) this.fullAt.delete(known);
    }
    if (this.fullAt.size >= MAX_KEYS && !this.fullAt.has(key))
      this.fullAt.delete(this.fullAt.keys().next().value ?? '');
    this.fullAt.set(key, fullAt);
  }
}
