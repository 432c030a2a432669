import { metrics } from '../logging/metrics.js';
import type { ReportedEvent } from './lifecycle/types.js';

/** Counts what the lifecycle reports; it knows no metrics itself. */
export function countLifecycle(event: ReportedEvent): void {
  switch (event.event) {
    case 'db.connect_retry':
    case 'db.connect_fatal':
      return metrics.dbConnectFailures.inc({ class: event.class });
    case 'lock.acquired':
      return metrics.lockWaitSeconds.set(event.waitedMs / 1000);
    case 'migration.applied':
      return metrics.migrationSeconds.set({ name: event.migration }, event.durationMs / 1000);
    case 'migration.lock_retry':
      return metrics.migrationLockRetries.inc();
    case 'seed.applied':
      return metrics.seedSeconds.set({ name: event.seed }, event.durationMs / 1000);
    case 'schema.drift':
      return metrics.schemaDrift.inc({ severity: event.severity });
    case 'schema.verified':
      return metrics.schemaAhead.set(event.ahead ? 1 : 0);
    default:
  }
}
