export type LoadLevel = 0 | 1 | 2 | 3;

export interface Reading {
  value: number;
  /** From where on the value means level 1, 2 and 3. */
  limits: readonly [number, number, number];
}

const limitOf = (limits: Reading['limits'], level: 1 | 2 | 3): number => limits[level - 1] ?? Infinity;

/** A second of load is a spike; these many in a row are a state. The latch (3) needs longer, and stays longer. */
const RISE_AFTER = { 1: 2, 2: 2, 3: 5 } as const;
const FALL_AFTER = 10;

/**
 * Turns readings, one set per second, into a level that does not flutter: it rises when a limit was exceeded for some
 * seconds, and falls one step when every reading was below half of the present level's limit for ten.
 */
export class LoadLevels {
  level: LoadLevel = 0;
  /** Seconds in a row at or above each level. */
  private readonly above = { 1: 0, 2: 0, 3: 0 };
  private calm = 0;

  observe(readings: readonly Reading[]): LoadLevel {
    for (const level of [1, 2, 3] as const) {
      const exceeded = readings.some(({ value, limits }) => value > limitOf(limits, level));
      this.above[level] = exceeded ? this.above[level] + 1 : 0;
      if (this.above[level] >= RISE_AFTER[level] && level > this.level) this.become(level);
    }
    const { level } = this;
    if (level === 0) return 0;
    const calm = readings.every(({ value, limits }) => value < limitOf(limits, level) / 2);
    this.calm = calm ? this.calm + 1 : 0;
    if (this.calm >= FALL_AFTER) this.become((this.level - 1) as LoadLevel);
    return this.level;
  }

  private become(level: LoadLevel): void {
    this.level = level;
    this.calm = 0;
  }
}
