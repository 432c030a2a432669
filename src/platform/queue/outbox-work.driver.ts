import type { DatabaseService } from '../database/database.service.js';
import type { Db } from '../database/db.js';
import type { BackgroundWork } from '../lifecycle/background-work.js';
import type { Log } from '../logging/log.js';
import { buryRow } from './dead-letters.repository.js';
import type { Backlog, WorkItem } from './delayed-work.js';
import { claimWork, finishWork, insertWork, outboxBacklog, postponeWork } from './outbox.repository.js';
import { type ClaimedWork, PolledWork } from './polled-work.js';

interface ClaimedRow extends ClaimedWork {
  rowId: number;
}

/** Work as rows of the outbox that are due later: nothing to install, and one transaction with what caused it. */
export class OutboxWork extends PolledWork<ClaimedRow> {
  readonly driver = 'outbox';

  constructor(
    private readonly database: DatabaseService,
    background: BackgroundWork,
    log: Log,
  ) {
    super(background, log);
  }

  async add(items: readonly WorkItem[], db: Db = this.database): Promise<void> {
    if (items.length === 0) return;
    await insertWork(db, items);
    this.hurryFor(items, db);
  }

  backlog(): Promise<Backlog[]> {
    return outboxBacklog(this.database);
  }

  async claim(queue: string, limit: number): Promise<ClaimedRow[]> {
    const rows = await claimWork(this.database, queue, limit);
    return rows.map(({ id, key, payload, attempts }) => ({ id: `work-${id}`, rowId: id, key, payload, attempts }));
  }

  async done(_queue: string, { rowId }: ClaimedRow): Promise<void> {
    await finishWork(this.database, [rowId]);
  }

  async postpone(_queue: string, { rowId }: ClaimedRow, pauseMs: number, counts: boolean): Promise<void> {
    await postponeWork(this.database, [rowId], pauseMs, counts);
  }

  async bury(queue: string, { rowId }: ClaimedRow, reason: string): Promise<void> {
    await buryRow(this.database, { rowId, queue, reason });
  }
}
