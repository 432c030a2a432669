import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Leader, type Term } from '../../platform/queue/leader.js';
import { stillHolds } from './alerts.repository.js';
import { purge, type Purged, rollUp } from './samples.repository.js';
import { SettingsService } from './settings.service.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Makes days of samples, and removes what is older than the settings want it kept. */
@Injectable()
export class MaintenanceService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly settings: SettingsService,
    private readonly leader: Leader,
  ) {}

  onModuleInit(): void {
    this.leader.register({
      name: 'metrics.rollup',
      every: '0 5 * * * *',
      periodMs: HOUR_MS,
      run: (term) => this.rollUp(term),
    });
    // After the first roll-up of the day.
    this.leader.register({
      name: 'metrics.purge',
      every: '0 30 3 * * *',
      periodMs: DAY_MS,
      run: (term) => this.purge(term),
    });
  }

  rollUp({ holds }: Pick<Term, 'holds'>): Promise<{ days: number }> {
    return this.database.tx(async (tx) => ({ days: await rollUp(tx, holds) }));
  }

  async purge({ holds }: Pick<Term, 'holds'>): Promise<Purged | undefined> {
    const { metricsRetentionDays, aggregateRetentionDays } = await this.settings.current();
    return this.database.tx(async (tx) =>
      (await stillHolds(tx, holds))
        ? purge(tx, { sampleDays: metricsRetentionDays, dailyDays: aggregateRetentionDays })
        : undefined,
    );
  }
}
