import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Log } from '../../platform/logging/log.js';
import { Leader, type Term } from '../../platform/queue/leader.js';
import { Storage } from '../../platform/storage/storage.js';
import { condemn, forget, listPurgeable } from './media.repository.js';
import { folderOf } from './media.rules.js';

const HOUR_MS = 3_600_000;
const BATCH = 100;

/** Removes what was never finished or never shown for a day, and what was deleted a week ago. */
@Injectable()
export class SweepService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: Storage,
    private readonly leader: Leader,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.leader.register({
      name: 'media.sweep',
      every: '0 17 * * * *',
      periodMs: HOUR_MS,
      run: (term) => this.run(term),
    });
  }

  /**
   * First the row says that the file is gone, then the bytes go, then the row. A sweep that ends in between is taken up by
   * the next one; no row ever shows a file without bytes.
   */
  async run({ holds, signal }: Pick<Term, 'holds' | 'signal'>): Promise<{ condemned: number; removed: number }> {
    let condemned = 0;
    for (let found = BATCH; found === BATCH && !signal.aborted; condemned += found)
      found = await condemn(this.database, holds, BATCH);
    let removed = 0;
    for (let found = BATCH; found === BATCH && !signal.aborted; removed += found) {
      const due = await listPurgeable(this.database, this.storage.driver, BATCH);
      for (const { storageKey } of due) await this.storage.clear(folderOf(storageKey));
      await this.database.tx((tx) =>
        forget(
          tx,
          due.map(({ id }) => id),
        ),
      );
      found = due.length;
    }
    await this.storage.removeAbandoned();
    if (condemned + removed > 0) this.log.info('media.swept', { condemned, removed });
    return { condemned, removed };
  }
}
