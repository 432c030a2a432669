import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import type { Db, Tx } from '../database/db.js';
import { sql } from '../database/sql.js';
import { type DeadLetter, countLetters, deleteLetter, listLetters, markReplayed } from './dead-letters.repository.js';
import { type Backlog, DelayedWork } from './delayed-work.js';
import { WORK_TOPIC } from './outbox.repository.js';

export type QueueDepth = Backlog & { deadLetters: number };

/** What was given up, whichever driver carried it, and the way back. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
  ) {}

  /** Newest first. */
  list(queue: string | undefined, before: string | null, limit: number): Promise<DeadLetter[]> {
    return listLetters(this.database, queue, before, limit);
  }

  /** Puts the work back with all its tries; false when there is no such letter. Replaying again works again. */
  async replay(id: string, tx: Tx): Promise<boolean> {
    const letter = await markReplayed(tx, id);
    if (!letter) return false;
    const { topic, key, payload } = letter;
    if (topic.startsWith(WORK_TOPIC)) {
      await this.work.add([{ queue: topic.slice(WORK_TOPIC.length), key, payload }], tx);
    } else {
      await tx.execute(sql`SELECT outbox_append(${topic}, ${key}::text, ${JSON.stringify(payload)}::jsonb)`);
    }
    return true;
  }

  /** Answers how many there were, one or none. */
  async remove(id: string, db: Db = this.database): Promise<number> {
    return deleteLetter(db, id);
  }

  /** Every queue that has work or dead letters. */
  async depths(): Promise<QueueDepth[]> {
    // One after the other: the first probe of a start would otherwise wait for a second connection.
    const backlog = await this.work.backlog();
    const letters = await countLetters(this.database);
    const counts = new Map(letters.map(({ queue, count }) => [queue, count]));
    const known = new Set(backlog.map(({ queue }) => queue));
    const idle = [...counts.keys()].filter((queue) => !known.has(queue));
    return [...backlog, ...idle.map((queue) => ({ queue, waiting: 0, later: 0, oldestSeconds: 0 }))]
      .map((one) => ({ ...one, deadLetters: counts.get(one.queue) ?? 0 }))
      .toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
  }
}
