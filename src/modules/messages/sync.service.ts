import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { decodeCursor, encodeCursor } from '../../platform/http/cursor.js';
import { type ConversationChange, Feeds, type Slice } from '../../platform/realtime/feeds.js';
import { ServerEpoch } from '../../platform/realtime/server-epoch.js';
import { ConversationsService, type SyncEntry } from '../conversations/conversations.service.js';
import type {
  ChangesRequest,
  ChangesView,
  ChangeView,
  SyncEntryView,
  SyncRequest,
  SyncView,
  UserChangesRequest,
  UserChangesView,
} from './dto/sync.dto.js';
import { MessageFeedService } from './message-feed.service.js';
import { aheadOfServer } from './messages.errors.js';

const CONVERSATIONS_PER_PAGE = 100;
const NEWEST_MESSAGES = 50;
const FIRST_MEMBERS = 100;
const RECEIPTS_UP_TO_MEMBERS = 100;
const CURSOR = 'sync';
const cursorShape = z.tuple([z.uuid(), z.number().int()]);

/** Brings clients up to date: what changed since a position, or the newest page where that is too much (protocol 5.4). */
@Injectable()
export class SyncService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly feeds: Feeds,
    private readonly messages: MessageFeedService,
    private readonly epochs: ServerEpoch,
  ) {}

  /** One answer is one snapshot: what it says of the user's feed and of each conversation was true at the same moment. @throws invalid_cursor */
  async sync(actor: Actor, request: SyncRequest): Promise<SyncView> {
    const [after, pinnedUserRev] =
      request.cursor === undefined ? [null, null] : decodeCursor(CURSOR, request.cursor, cursorShape);
    const epoch = this.epochs.current;
    const reset = request.epoch !== epoch;
    return this.database.snapshot(async (db) => {
      const user =
        pinnedUserRev === null ? await this.userPage(actor, reset ? 0 : request.userRev, request.limit, db) : undefined;
      const userRev = user?.upTo ?? pinnedUserRev ?? 0;
      const found = await this.conversations.syncEntries(actor, after, CONVERSATIONS_PER_PAGE + 1, db);
      const entries = found.slice(0, CONVERSATIONS_PER_PAGE);
      const last = entries.at(-1);
      return {
        epoch,
        reset,
        userRev,
        user: user?.changes ?? [],
        userMore: user?.more ?? false,
        gone: after === null ? await this.conversations.gone(actor, Object.keys(request.heads), db) : [],
        cursor: found.length > entries.length && last ? encodeCursor(CURSOR, [last.id, userRev]) : null,
        conversations: await this.fill(actor, entries, reset ? {} : request.heads, request.limit, db),
      };
    });
  }

  /** One page of a conversation's feed. @throws not_found, ahead_of_server */
  async changes(actor: Actor, { c, after, limit }: ChangesRequest): Promise<ChangesView> {
    return this.database.snapshot(async (db) => {
      const { headSeq, headRev, visibleFromSeq } = await this.conversations.requireMember(actor, c, db);
      if (after > headRev) throw aheadOfServer();
      const slice = (await this.feeds.conversations([{ id: c, after, upTo: headRev }], limit, db)).get(c);
      return {
        c,
        changes: visible(slice?.changes ?? [], visibleFromSeq),
        upTo: slice?.upTo ?? headRev,
        more: slice?.more ?? false,
        head: { seq: headSeq, rev: headRev },
        me: await this.conversations.me(actor, c, db),
      };
    });
  }

  /** One page of the actor's own feed. @throws ahead_of_server */
  async userChanges(actor: Actor, { after, limit }: UserChangesRequest): Promise<UserChangesView> {
    const { changes, upTo, more, head } = await this.feeds.user(actor.userId, after, limit);
    if (after > head) throw aheadOfServer();
    return { changes, upTo, more };
  }

  /** A position above the head belongs to a history that is gone; the client gets everything again. */
  private async userPage(actor: Actor, after: number, limit: number, db: Db): Promise<UserChangesView> {
    const page = await this.feeds.user(actor.userId, after, limit, db);
    return after > page.head ? this.feeds.user(actor.userId, 0, limit, db) : page;
  }

  private async fill(
    actor: Actor,
    entries: readonly SyncEntry[],
    heads: Readonly<Record<string, number>>,
    limit: number,
    db: Db,
  ): Promise<SyncEntryView[]> {
    const behind = entries.flatMap(({ id, head }) => {
      const after = heads[id];
      return after !== undefined && after < head.rev ? [{ id, after, upTo: head.rev }] : [];
    });
    const slices: ReadonlyMap<string, Slice<ConversationChange>> = behind.length === 0
      ? new Map()
      : await this.feeds.conversations(behind, limit, db);
    const limited = entries.filter(({ id, head }) => {
      const after = heads[id];
      return after === undefined || after > head.rev || slices.get(id)?.more === true;
    });
    const newest = await this.newest(limited, db);
    const changesOf = ({ id, visibleFromSeq }: SyncEntry): ChangeView[] =>
      visible(newest.get(id) ?? slices.get(id)?.changes ?? [], visibleFromSeq);
    const receipts = await this.conversations.receiptsOf(
      actor,
      entries.filter((entry) => showsReceipts(entry, changesOf(entry).length > 0)).map(({ id }) => id),
      db,
    );
    const starting = new Set(limited);
    return entries.map((entry) => {
      const changes = changesOf(entry);
      return {
        id: entry.id,
        head: { seq: entry.head.seq, rev: entry.head.rev },
        me: entry.me,
        upTo: entry.head.rev,
        limited: starting.has(entry),
        conversation: starting.has(entry) ? entry.view : null,
        changes,
        receipts: showsReceipts(entry, changes.length > 0) ? (receipts.get(entry.id) ?? []) : null,
      };
    });
  }

  /** What a client gets of a conversation it starts anew: the newest messages and the first members, by rev. */
  private async newest(entries: readonly SyncEntry[], db: Db): Promise<Map<string, ConversationChange[]>> {
    if (entries.length === 0) return new Map();
    const messages = await this.messages.newest(entries, NEWEST_MESSAGES, db);
    const members = await this.conversations.firstMembers(
      entries.map(({ id }) => id),
      FIRST_MEMBERS,
      db,
    );
    return new Map(
      entries.map(({ id }) => {
        const changes = [
          ...(messages.get(id) ?? []),
          ...(members.get(id) ?? []).map((v): ConversationChange => ({ rev: v.rev, t: 'member', v })),
        ];
        return [id, changes.toSorted((a, b) => a.rev - b.rev)];
      }),
    );
  }
}

const showsReceipts = ({ type, memberCount }: SyncEntry, carriesChanges: boolean): boolean =>
  type === 'direct' || (carriesChanges && memberCount <= RECEIPTS_UP_TO_MEMBERS);

/** Rows the reader may see, without what only the room needs to know. */
const visible = (changes: readonly ConversationChange[], visibleFromSeq: number): ChangeView[] =>
  changes.filter(({ seq }) => seq === undefined || seq >= visibleFromSeq).map(({ rev, t, v }) => ({ rev, t, v }));
