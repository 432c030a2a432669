import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { DeadLetters, type QueueDepth } from '../../platform/queue/dead-letters.js';
import { DeedsService } from './deeds.service.js';
import { type DeadLetterView, toDeadLetterView } from './dto/queue.view.js';
import type { ListDeadLetters } from './dto/queue.dto.js';

const CURSOR = 'dead-letters';

/** What waits, and what was given up. */
@Injectable()
export class QueuesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly letters: DeadLetters,
    private readonly deeds: DeedsService,
  ) {}

  /** @throws forbidden */
  async depths(actor: Actor): Promise<{ items: QueueDepth[] }> {
    requirePermission(actor, 'queues.read');
    return { items: await this.letters.depths() };
  }

  /** Newest first. @throws forbidden, invalid_cursor */
  async list(actor: Actor, { queue, cursor, limit }: ListDeadLetters): Promise<Page<DeadLetterView>> {
    requirePermission(actor, 'queues.read');
    const [before = null] = cursor === undefined ? [] : decodeCursor(CURSOR, cursor, z.tuple([z.uuid()]));
    const rows = await this.letters.list(queue, before, limit + 1);
    return toPage(rows, limit, toDeadLetterView, ({ id }) => encodeCursor(CURSOR, [id]));
  }

  /** Puts the work back; what it decides, it decides again. @throws forbidden, not_found */
  async replay(actor: Actor, id: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, 'queues.replay');
    await this.database.tx(async (tx) => {
      if (!(await this.letters.replay(id, tx))) throw notFound();
      await this.deeds.record(tx, actor, deed('replay', id), trace);
    });
  }

  /** @throws forbidden */
  async remove(actor: Actor, id: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, 'queues.replay');
    await this.database.tx(async (tx) => {
      if ((await this.letters.remove(id, tx)) > 0) await this.deeds.record(tx, actor, deed('delete', id), trace);
    });
  }
}

const deed = (verb: string, targetId: string) => ({
  action: `dead_letter.${verb}`,
  permission: 'queues.replay',
  targetType: 'dead_letter',
  targetId,
});
