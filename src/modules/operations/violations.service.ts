import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { epochMs } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Log } from '../../platform/logging/log.js';
import { type LimitExceeded, RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { addViolations } from './violations.repository.js';
import { type Violation, violationOf } from './violations.rules.js';

const FLUSH_MS = 5000;
/** Beyond it new keys are only counted in the metric: a flood must not fill memory here nor the table. */
const MAX_PENDING = 2000;

/** Records who met a rate limit: one row per rule, key and minute over all replicas, written in batches. */
@Injectable()
export class ViolationsService implements OnModuleInit, BeforeApplicationShutdown {
  private pending = new Map<string, Violation>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly limiter: RateLimiter,
    private readonly database: DatabaseService,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.limiter.onExceeded((violation) => this.record(violation));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  /** Writes what is pending. What could not be written is tried again with the next batch. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flushing = this.flushing.then(() => this.write());
    return this.flushing;
  }

  private record(exceeded: LimitExceeded): void {
    const violation = violationOf(exceeded, epochMs());
    if (this.add(violation, 1) === 1)
      this.log.warn('ratelimit.violation', { rule: violation.rule, route: violation.route, key: violation.keyHash });
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** The count now pending; 0 when there is no room. */
  private add(violation: Violation, count: number): number {
    const known = this.pending.get(violation.id);
    if (known) return (known.count += count);
    if (this.pending.size >= MAX_PENDING) return 0;
    this.pending.set(violation.id, { ...violation, count });
    return count;
  }

  private async write(): Promise<void> {
    const batch = [...this.pending.values()];
    if (batch.length === 0) return;
    this.pending = new Map();
    try {
      await addViolations(this.database, batch);
    } catch (error) {
      for (const violation of batch) this.add(violation, violation.count);
      this.log.warn('ratelimit.not_recorded', { rows: batch.length, err: error });
    }
  }
}
