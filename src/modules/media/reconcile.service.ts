import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Storage, type StoredObject } from '../../platform/storage/storage.js';
import type { MediaReconciliation } from './dto/reconciliation.view.js';
import * as inventory from './inventory.repository.js';
import { MediaUploaded, MediaWithdrawn } from './media.events.js';
import { withdraw } from './media.repository.js';

/** Everything of Parley's lies below it; what else a bucket holds is none of our business. */
const HOME = 'media/';
const BATCH = 1000;
/** What is younger may be under way, in hours. */
const OBJECT_AGE_H = 24;
const ROW_AGE_H = 1;

/** Compares store and table, both ways. */
@Injectable()
export class ReconcileService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: Storage,
    private readonly events: EventsService,
  ) {}

  /**
   * With `apply`, objects that nothing refers to are deleted, files without bytes are rejected and missing renditions made
   * again; without, nothing is changed. @throws dependency_unavailable
   */
  async run({ apply }: { apply: boolean }): Promise<MediaReconciliation> {
    const { driver } = this.storage;
    const found = await this.compare();
    // Looked at once more, since the comparison may have taken hours.
    const lost: inventory.LostRow[] = [];
    for (const row of found.lost) if (!(await this.storage.head(row.key))) lost.push(row);
    const report: MediaReconciliation = {
      driver,
      consistent: found.orphans.length === 0 && lost.length === 0 && found.resized.length === 0,
      applied: apply,
      objects: found.objects,
      rows: found.rows.here,
      elsewhere: found.rows.elsewhere,
      orphans: found.orphans,
      lost,
      resized: found.resized,
      removed: 0,
      rejected: 0,
      renderedAgain: 0,
    };
    if (!apply) return report;
    await this.storage.delete(found.orphans.map(({ key }) => key));
    report.removed = found.orphans.length;
    const gone = new Set(lost.filter(({ variant }) => variant === 'original').map(({ id }) => id));
    for (const id of gone) if (await this.reject(id)) report.rejected += 1;
    for (const { id, key } of lost) if (!gone.has(id) && (await this.renderAgain(id, key))) report.renderedAgain += 1;
    return report;
  }

  private compare() {
    return this.database.tx(async (tx) => {
      await inventory.openInventory(tx);
      let objects = 0;
      let batch: StoredObject[] = [];
      const enter = async (): Promise<void> => {
        if (batch.length > 0) await inventory.enterObjects(tx, batch);
        objects += batch.length;
        batch = [];
      };
      for await (const object of this.storage.list(HOME)) if (batch.push(object) === BATCH) await enter();
      await enter();
      return {
        objects,
        rows: await inventory.countRows(tx, this.storage.driver),
        orphans: await inventory.listOrphans(tx, OBJECT_AGE_H),
        lost: await inventory.listLost(tx, this.storage.driver, ROW_AGE_H),
        resized: await inventory.listResized(tx, this.storage.driver),
      };
    });
  }

  private reject(id: string): Promise<boolean> {
    return this.database.tx(async (tx) => {
      const row = await withdraw(tx, id, 'rejected', 'lost', ['uploaded', 'processing', 'ready', 'quarantined']);
      if (row) await this.events.publish(tx, new MediaWithdrawn(id, row.ownerId, 'rejected'));
      return row !== undefined;
    });
  }

  private renderAgain(id: string, key: string): Promise<boolean> {
    return this.database.tx(async (tx) => {
      const due = await inventory.renderAgain(tx, id, key);
      if (due) tx.afterCommit(() => this.events.hint(new MediaUploaded(id)));
      return due;
    });
  }
}
