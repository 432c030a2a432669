import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { epochMs, newId } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { sqlStateOf } from '../../platform/database/database-error.js';
import type { Tx } from '../../platform/database/db.js';
import { invalidState, validationFailed } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { Feeds, type UserReader } from '../../platform/realtime/feeds.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { bindMedia } from './conversation-source.repository.js';
import { DraftService } from './draft.service.js';
import type { CreateScheduled, UpdateScheduled } from './dto/scheduled.dto.js';
import type { ScheduledView } from './dto/scheduled.view.js';
import { hasVisibleCharacter } from './dto/send-message.dto.js';
import { idempotencyMismatch, limitExceeded, mediaUnusable, notFound } from './messages.errors.js';
import { ScheduledChanged } from './messages.events.js';
import { checkLimits, payloadHash } from './messages.rules.js';
import * as scheduled from './scheduled.repository.js';
import { type ScheduledRow, toScheduledView } from './scheduled.repository.js';

const MAX_PENDING = 100;
const EARLIEST_MS = 10_000;
const LATEST_MS = 366 * 24 * 3_600_000;
const LIST = 'scheduled';
const cursorShape = z.tuple([z.iso.datetime(), z.uuid()]);

/** Messages to be sent later: their authors make, change and cancel them. `ScheduledDispatch` sends them. */
@Injectable()
export class ScheduledService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly drafts: DraftService,
    private readonly events: EventsService,
    private readonly feeds: Feeds,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.feeds.userReaders.push(this.changes);
  }

  async list(actor: Actor, { cursor, limit }: PageQuery): Promise<Page<ScheduledView>> {
    const after = cursor === undefined ? null : decodeCursor(LIST, cursor, cursorShape);
    const rows = await scheduled.listPending(this.database, actor.userId, after, limit + 1);
    return toPage(rows, limit, toScheduledView, (row) => encodeCursor(LIST, [row.sendAt.toISOString(), row.id]));
  }

  /** `created` is false for a clientId that is stored. @throws not_found, role_insufficient, limit_exceeded, idempotency_mismatch, invalid_state */
  async create(actor: Actor, input: CreateScheduled): Promise<{ scheduled: ScheduledView; created: boolean }> {
    const { conversationId, sendAt, ...payload } = input;
    const member = await this.conversations.requireMember(actor, conversationId);
    const stored = await scheduled.findByClient(this.database, actor.userId, conversationId, input.clientId);
    if (stored) return { scheduled: replayed(stored, input), created: false };
    checkTime(sendAt);
    checkLimits(payload, this.config);
    await this.drafts.assertMaySchedule(actor, member, payload);
    try {
      return await this.database.tx(async (tx) => {
        if (payload.attachmentIds.length > 0) await bindMedia(tx, actor.userId, payload.attachmentIds);
        // The head's lock makes the count hold.
        const rev = await scheduled.advanceUser(tx, actor.userId);
        if ((await scheduled.countPending(tx, actor.userId)) >= MAX_PENDING)
          throw limitExceeded('scheduled', MAX_PENDING);
        const row = await scheduled.insertScheduled(tx, {
          id: newId(),
          userId: actor.userId,
          conversationId,
          clientId: input.clientId,
          payload,
          sendAt,
          rev,
        });
        return { scheduled: this.tell(row, tx), created: true };
      });
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === 'PA422') throw mediaUnusable();
      const raced =
        state === '23505' &&
        (await scheduled.findByClient(this.database, actor.userId, conversationId, input.clientId));
      if (raced) return { scheduled: replayed(raced, input), created: false };
      throw error;
    }
  }

  /** @throws not_found, invalid_state (no longer pending) */
  async update(actor: Actor, id: string, change: UpdateScheduled): Promise<ScheduledView> {
    if (change.sendAt) checkTime(change.sendAt);
    checkLimits(change, this.config);
    return this.change(actor, id, async (row, tx) => {
      const { sendAt = row.sendAt, ...fields } = change;
      const payload = { ...row.payload, ...fields };
      const blank =
        payload.meta === undefined && payload.attachmentIds.length === 0 && !hasVisibleCharacter(payload.body ?? '');
      if (blank && payload.forwardOf === undefined) {
        throw validationFailed({ path: 'body', code: 'too_short', message: 'At least one visible character' });
      }
      if (fields.attachmentIds?.length) await bindMedia(tx, actor.userId, fields.attachmentIds);
      return { ...row, payload, sendAt };
    });
  }

  /** Once more is no change. @throws not_found, invalid_state (sent or failed) */
  async cancel(actor: Actor, id: string): Promise<void> {
    await this.change(actor, id, async (row) => ({ ...row, state: 'cancelled' }), 'cancelled');
  }

  /** After the commit: the author's devices see the new state. */
  tell(row: ScheduledRow, tx: Tx): ScheduledView {
    const view = toScheduledView(row);
    tx.afterCommit(() => this.events.announce(new ScheduledChanged(row.userId, row.rev), view));
    return view;
  }

  private readonly changes: UserReader = async (userId, after, upTo, limit, db = this.database) => {
    const rows = await scheduled.listChangedScheduled(db, userId, after, upTo, limit);
    return rows.map((row) => ({ rev: row.rev, t: 'scheduled', v: toScheduledView(row) }));
  };

  private async change(
    actor: Actor,
    id: string,
    work: (row: ScheduledRow, tx: Tx) => Promise<ScheduledRow>,
    /** The state in which there is nothing left to do. */
    done?: ScheduledRow['state'],
  ): Promise<ScheduledView> {
    try {
      return await this.database.tx(async (tx) => {
        const row = await scheduled.lockScheduled(tx, id, actor.userId);
        if (!row) throw notFound();
        if (row.state === done) return toScheduledView(row);
        const changed = row.state === 'pending' ? await work(row, tx) : undefined;
        if (!changed) throw invalidState(`It is ${row.state}`);
        const rev = await scheduled.advanceUser(tx, actor.userId);
        return this.tell(await scheduled.updateScheduled(tx, id, { ...changed, rev }), tx);
      });
    } catch (error) {
      throw sqlStateOf(error) === 'PA422' ? mediaUnusable() : error;
    }
  }
}

function checkTime(sendAt: Date): void {
  const ahead = sendAt.getTime() - epochMs();
  if (ahead >= EARLIEST_MS && ahead <= LATEST_MS) return;
  throw validationFailed({ path: 'sendAt', code: 'out_of_range', message: 'Between 10 seconds and one year ahead' });
}

/** @throws idempotency_mismatch */
function replayed(row: ScheduledRow, input: CreateScheduled): ScheduledView {
  if (payloadHash(row.payload) !== payloadHash(input)) throw idempotencyMismatch();
  return toScheduledView(row);
}
