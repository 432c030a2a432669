import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Log } from '../../platform/logging/log.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { PresenceMoved } from './presence.events.js';
import { enter, type Entry, leave, lockPresence } from './presence.repository.js';
import type { Activity } from './presence.rules.js';

const BATCH = 1000;
const IDS_PER_HINT = 100;
const RETRY_MS = 1000;

/**
 * Writes down who has a device on this replica. One write is under way at a time, and what comes up meanwhile is the next
 * one, so that thousands who connect at once cost a few statements; who comes and goes in between costs none.
 */
@Injectable()
export class PresenceEntries {
  /** Not written yet; null: no device here. */
  private readonly wanted = new Map<string, Activity | null>();
  private readonly written = new Map<string, Activity>();
  private writing: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly lease: ReplicaLease,
    private readonly log: Log,
  ) {
    lease.onRenewed((anew) => {
      if (anew) this.writeAgain();
    });
  }

  /** What is to be written of a user, at once if nothing is under way. */
  want(userId: string, activity: Activity | null): void {
    this.wanted.set(userId, activity);
    this.start();
  }

  /** Resolves when everything wanted so far is written, or cannot be. For an orderly stop. */
  async settle(): Promise<void> {
    this.stopped = true;
    await this.writing;
  }

  private start(): void {
    this.writing ??= this.drain().finally(() => {
      this.writing = undefined;
    });
  }

  private async drain(): Promise<void> {
    while (this.wanted.size > 0) {
      const batch = [...this.wanted].slice(0, BATCH);
      for (const [userId] of batch) this.wanted.delete(userId);
      try {
        await this.write(batch);
      } catch (error) {
        this.log.warn('presence.write_failed', { users: batch.length, err: error });
        for (const [userId, activity] of batch) if (!this.wanted.has(userId)) this.wanted.set(userId, activity);
        if (this.stopped) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  private async write(batch: readonly (readonly [string, Activity | null])[]): Promise<void> {
    const changed = batch.filter(([userId, activity]) => activity !== (this.written.get(userId) ?? null));
    if (changed.length === 0) return;
    const entering: Entry[] = changed.flatMap(([userId, activity]) => (activity ? [{ userId, activity }] : []));
    const leaving = changed.flatMap(([userId, activity]) => (activity ? [] : [userId]));
    const ids = changed.map(([userId]) => userId);
    await this.database.tx(async (tx) => {
      await lockPresence(tx, ids);
      if (entering.length > 0) await enter(tx, this.lease.replicaId, entering);
      if (leaving.length > 0) await leave(tx, this.lease.replicaId, leaving);
    });
    for (const { userId, activity } of entering) this.written.set(userId, activity);
    for (const userId of leaving) this.written.delete(userId);
    for (let i = 0; i < ids.length; i += IDS_PER_HINT)
      this.events.hint(new PresenceMoved(ids.slice(i, i + IDS_PER_HINT)));
  }

  /** Others may have taken this replica for dead and removed its entries. */
  private writeAgain(): void {
    for (const [userId, activity] of this.written) if (!this.wanted.has(userId)) this.wanted.set(userId, activity);
    this.written.clear();
    if (this.wanted.size > 0) this.start();
  }
}
