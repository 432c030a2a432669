import { Injectable } from '@nestjs/common';
import { monotonicMs, now } from '../../platform/clock/clock.js';
import { classify } from '../../platform/database/database-error.js';
import { DatabaseMonitor } from '../../platform/database/database-monitor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { errorFingerprints } from '../../platform/errors/report-unexpected.js';
import { Bus } from '../../platform/events/bus.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Breakers } from '../../platform/lifecycle/breakers.js';
import { BootState } from '../../platform/lifecycle/boot-state.js';
import { HealthRegistry } from '../../platform/lifecycle/health-registry.js';
import { Load } from '../../platform/lifecycle/load.js';
import { Leader } from '../../platform/queue/leader.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { type Check, toChecks } from './health.rules.js';
import { HealthService } from './health.service.js';
import { MetricsService } from './metrics.service.js';
import { deadLetterCounts, migrationHistory, outboxBacklog } from './platform-state.repository.js';
import { type Readiness, ReadinessService } from './readiness.service.js';
import { RecentSamples } from './recent-samples.service.js';

/** All that is known about this installation, for its operator. What the database alone knows is null while it is down. */
@Injectable()
export class HealthDetailService {
  constructor(
    private readonly health: HealthService,
    private readonly readiness: ReadinessService,
    private readonly registry: HealthRegistry,
    private readonly boot: BootState,
    private readonly load: Load,
    private readonly monitor: DatabaseMonitor,
    private readonly background: BackgroundWork,
    private readonly database: DatabaseService,
    private readonly leader: Leader,
    private readonly replicas: ReplicaLease,
    private readonly metrics: MetricsService,
    private readonly recent: RecentSamples,
    private readonly bus: Bus,
    private readonly breakers: Breakers,
  ) {}

  async read(): Promise<{ readiness: Readiness; checks: Record<string, Check[]>; facts: object }> {
    const readiness = await this.readiness.read();
    const [replicas, leases, outbox, deadLetters, migrations] = await Promise.all([
      orNull(this.replicas.living()),
      orNull(this.leader.leases()),
      orNull(outboxBacklog(this.database)),
      orNull(deadLetterCounts(this.database)),
      orNull(migrationHistory(this.database)),
    ]);
    const checks = toChecks(readiness.checks, {
      pool: this.metrics.pool(),
      outbox,
      loopDelayMs: this.load.delay.p99,
      at: now(),
    });
    const facts = {
      timestamp: now().toISOString(),
      uptime: Math.round(process.uptime()),
      version: this.boot.version,
      phase: this.boot.phase,
      services: this.health.services(),
      schema: { ok: this.schemaFits(), head: migrations?.head ?? null, missing: this.missing() },
      // What would be pending makes the schema unfit; the guard has looked.
      migrations: migrations && {
        applied: migrations.applied,
        pending: this.schemaFits() ? 0 : null,
        failed: migrations.failed,
      },
      boot: this.boot.finished,
      replicaId: this.replicas.replicaId,
      replicas,
      scheduler: this.background.state,
      jobs: { leases, here: this.background.jobStatus() },
      queues: { outbox, deadLetters },
      pool: this.metrics.pool(),
      bus: { connected: this.bus.connected },
      breakers: this.breakers.states(),
      load: { level: this.load.level, ...this.load.readings() },
      errors: errorFingerprints().slice(0, 20),
      recentSamples: this.recent.list(),
    };
    return { readiness, checks, facts };
  }

  /** One real round trip on the application's own pool. */
  async checkDatabase() {
    const startedAt = monotonicMs();
    const failure = await this.database.ping().then(
      () => undefined,
      (error: unknown) => ({ class: this.monitor.lastError?.class ?? classify(error).class }),
    );
    return {
      status: failure ? ('error' as const) : ('ok' as const),
      latencyMs: failure ? null : Math.round((monotonicMs() - startedAt) * 100) / 100,
      schema: { ok: this.schemaFits() },
      pool: this.metrics.pool(),
      state: this.monitor.state,
      ...(failure ? { error: failure } : {}),
    };
  }

  private schemaFits(): boolean {
    return this.registry.last('schema').state !== 'unhealthy';
  }

  private missing(): string[] {
    const reason = this.registry.last('schema').observed?.['reason'];
    return typeof reason === 'string' ? [reason] : [];
  }
}

const orNull = <Value>(reading: Promise<Value>): Promise<Value | null> => reading.catch(() => null);
