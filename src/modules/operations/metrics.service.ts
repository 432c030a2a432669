import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { lastBackupAt } from '../../platform/database/last-backup.js';
import { errorFingerprints } from '../../platform/errors/report-unexpected.js';
import { metrics, registry } from '../../platform/logging/metrics.js';
import { metricsText } from '../../platform/logging/metrics-text.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { outboxBacklog } from './platform-state.repository.js';

export interface PoolState {
  total: number;
  idle: number;
  waiting: number;
}

/** The metrics page: counters kept all along, and what is only read when somebody asks. */
@Injectable()
export class MetricsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly replicas: ReplicaLease,
  ) {}

  pool(): PoolState {
    const { totalCount, idleCount, waitingCount } = this.database.connections;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  async text(format: 'prometheus' | 'openmetrics'): Promise<{ type: string; text: string }> {
    const { total, idle, waiting } = this.pool();
    metrics.dbConnections.set({ state: 'used' }, total - idle);
    metrics.dbConnections.set({ state: 'idle' }, idle);
    metrics.dbConnections.set({ state: 'waiting' }, waiting);
    const { users = 0, bufferBytes = 0 } = this.replicas.ownStats();
    metrics.presenceOnline.set(users);
    metrics.wsSendBuffer.set(bufferBytes);
    metrics.errorFingerprints.set(errorFingerprints().length);
    await this.readDatabase();
    await collectProcess();
    return metricsText(format);
  }

  /** Without a database the page is needed most: it then keeps the last figures. */
  private async readDatabase(): Promise<void> {
    try {
      const { depth, oldestSeconds } = await outboxBacklog(this.database);
      metrics.outboxDepth.set(depth);
      metrics.outboxOldest.set(oldestSeconds);
      const backup = await lastBackupAt(this.database);
      if (backup) metrics.backupLastSuccess.set(backup.getTime() / 1000);
    } catch {
      // db_errors_total has counted it.
    }
  }
}

/** Process and event loop, from the first look on. The registry belongs to the process, of which a test has several applications. */
async function collectProcess(): Promise<void> {
  const { collectDefaultMetrics } = await import('prom-client');
  if (!registry.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics({ register: registry });
}
