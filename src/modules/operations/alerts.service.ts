import { Injectable, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Leader, type Term } from '../../platform/queue/leader.js';
import {
  type AlertRow,
  openAlert,
  openAlerts,
  recentSamples,
  relevelAlert,
  resolveAlert,
  stillHolds,
} from './alerts.repository.js';
import { judge, valuesOf } from './alerts.rules.js';
import type { MetricName } from './dto/system-health.dto.js';
import { HealthAlertChanged } from './operations.events.js';
import type { SampleRow } from './samples.repository.js';
import { SettingsService } from './settings.service.js';

const PERIOD_MS = 15_000;
/** A replica without a sample for so many intervals is gone, and its alerts with it. */
const GONE_AFTER = 4;

type Finding = Omit<AlertRow, 'openedAt' | 'resolvedAt' | 'level'> & {
  level: AlertRow['level'] | null;
  open: AlertRow | undefined;
};

/**
 * Compares the samples of every replica with the thresholds. All state is in the tables, so any replica goes on where
 * another one stopped; a notice goes out with the change it tells of, or not at all.
 */
@Injectable()
export class AlertsService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly settings: SettingsService,
    private readonly leader: Leader,
  ) {}

  onModuleInit(): void {
    this.leader.register({
      name: 'alerts.evaluate',
      every: PERIOD_MS,
      periodMs: PERIOD_MS,
      run: (term) => this.evaluate(term),
    });
  }

  /** How many alerts changed. */
  async evaluate({ holds }: Pick<Term, 'holds'>): Promise<{ changed: number }> {
    const { thresholds, refreshInterval } = await this.settings.current();
    const [samples, open] = [await recentSamples(this.database), await openAlerts(this.database)];
    const newest = samples[0]?.at.getTime() ?? 0;
    const byReplica = Map.groupBy(samples, ({ replicaId }) => replicaId);
    const findings = [...byReplica].flatMap(([replicaId, own]) => {
      const gone = newest - (own[0]?.at.getTime() ?? 0) > GONE_AFTER * refreshInterval;
      return (Object.keys(thresholds) as MetricName[]).map((metric) =>
        finding(metric, thresholds[metric], gone ? [] : own, replicaId, open, gone),
      );
    });
    // Of replicas that have not sampled for an hour.
    const orphans = open.filter(({ replicaId }) => replicaId !== null && !byReplica.has(replicaId));
    const changes = findings.filter(({ level, open: present }) => level !== (present?.level ?? null));
    if (changes.length + orphans.length === 0) return { changed: 0 };
    return this.database.tx(async (tx) => {
      if (!(await stillHolds(tx, holds))) return { changed: 0 };
      let changed = 0;
      for (const change of changes) if (await this.apply(tx, change)) changed += 1;
      for (const alert of orphans) if (await this.resolve(tx, alert, alert.value)) changed += 1;
      return { changed };
    });
  }

  private async apply(tx: Tx, { open, level, ...found }: Finding): Promise<boolean> {
    if (level === null) return open !== undefined && this.resolve(tx, open, found.value);
    const alert = { ...found, level };
    if (!open) {
      if ((await openAlert(tx, alert)) === 0) return false;
      await this.events.publish(tx, new HealthAlertChanged({ ...alert, change: 'opened' }));
      return true;
    }
    if ((await relevelAlert(tx, { ...open, level, value: found.value, threshold: found.threshold })) === 0)
      return false;
    const change = level === 'critical' ? 'raised' : 'lowered';
    await this.events.publish(tx, new HealthAlertChanged({ ...alert, id: open.id, change }));
    return true;
  }

  private async resolve(tx: Tx, alert: AlertRow, value: number): Promise<boolean> {
    if ((await resolveAlert(tx, alert.id)) === 0) return false;
    const { id, metric, level, replicaId, threshold } = alert;
    await this.events.publish(
      tx,
      new HealthAlertChanged({ id, metric, level, replicaId, threshold, value, change: 'resolved' }),
    );
    return true;
  }
}

function finding(
  metric: MetricName,
  threshold: { warning: number; critical: number },
  samples: readonly SampleRow[],
  replicaId: string,
  open: readonly AlertRow[],
  gone: boolean,
): Finding {
  const present = open.find((alert) => alert.metric === metric && alert.replicaId === replicaId);
  const values = valuesOf(metric, samples);
  const level = gone ? null : judge(metric, values, threshold, present?.level ?? null);
  return {
    id: newId(),
    metric,
    replicaId,
    level,
    value: values[0] ?? present?.value ?? 0,
    threshold: threshold[level ?? 'warning'],
    open: present,
  };
}
