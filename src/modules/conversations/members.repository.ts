import { Injectable } from '@nestjs/common';
import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { FeedRange } from '../../platform/realtime/feeds.js';
import type { ConversationType, MemberState, NotifyLevel, Role, Settings } from './conversations.rules.js';

/** A membership as the others see it: a row of the conversation's feed. */
export interface MemberRow {
  conversationId: string;
  userId: string;
  rev: number;
  role: Role;
  state: MemberState;
  joinedAt: Date;
  leftAt: Date | null;
  invitedBy: string | null;
}

/** A membership as its owner sees it: a row of the user's feed. */
export interface OwnSide {
  conversationId: string;
  userId: string;
  userRev: number;
  role: Role;
  state: MemberState;
  visibleFromSeq: number;
  deliveredSeq: number;
  readSeq: number;
  readOrd: number;
  notifyLevel: NotifyLevel;
  mutedUntil: Date | null;
  pinnedAt: Date | null;
  archivedAt: Date | null;
  markedUnread: boolean;
}

/** The own side with the head it is compared with. */
export interface MeRow extends OwnSide {
  headSeq: number;
  headOrd: number;
  headRev: number;
  lastDeleteSeq: number;
}

/** An active membership with what decides over rights: the answer to "may this user be here?". */
export interface Membership extends OwnSide {
  type: ConversationType;
  settings: Settings;
  /** The other one of a direct conversation. */
  peerId: string | null;
  /** The head of the conversation at the same moment. */
  headSeq: number;
  headRev: number;
}

/** What decides whether a member is notified. */
/** A user in a conversation. */
export interface Place {
  conversationId: string;
  userId: string;
}

export interface Recipient {
  conversationId: string;
  userId: string;
  visibleFromSeq: number;
  deliveredSeq: number;
  readSeq: number;
  /** Highest seq delivered to an active socket. */
  foregroundSeq: number;
  notifyLevel: NotifyLevel;
  mutedUntil: Date | null;
}

const recipientColumns = sql`
  conversation_id AS "conversationId", user_id AS "userId", visible_from_seq AS "visibleFromSeq", delivered_seq AS "deliveredSeq", read_seq AS "readSeq",
  foreground_seq AS "foregroundSeq", notify_level AS "notifyLevel", muted_until AS "mutedUntil"`;

export const memberColumns = sql`
  m.conversation_id AS "conversationId", m.user_id AS "userId", m.rev, m.role, m.state, m.joined_at AS "joinedAt",
  m.left_at AS "leftAt", m.invited_by AS "invitedBy"`;

const ownColumns = sql`
  m.conversation_id AS "conversationId", m.user_id AS "userId", m.user_rev AS "userRev", m.role, m.state,
  m.visible_from_seq AS "visibleFromSeq", m.delivered_seq AS "deliveredSeq", m.read_seq AS "readSeq", m.read_ord AS "readOrd",
  m.notify_level AS "notifyLevel", m.muted_until AS "mutedUntil", m.pinned_at AS "pinnedAt", m.archived_at AS "archivedAt",
  m.marked_unread AS "markedUnread"`;

export const meColumns = sql`
  ${ownColumns}, h.seq AS "headSeq", h.ord AS "headOrd", h.rev AS "headRev", h.last_delete_seq AS "lastDeleteSeq"`;

/** The ranges as rows `r` (id, after, up_to). */
export const unnestRanges = (ranges: readonly FeedRange[]) => sql`
  unnest(${ranges.map((r) => r.id)}::uuid[], ${ranges.map((r) => r.after)}::bigint[], ${ranges.map((r) => r.upTo)}::bigint[])
    AS r (id, after, up_to)`;

/** Reads of memberships. An active one implies a living conversation: deleting a conversation ends them all. */
@Injectable()
export class MembersRepository {
  async findActive(db: Db, conversationId: string, userId: string): Promise<Membership | undefined> {
    return (await this.findManyActive(db, [{ conversationId, userId }]))[0];
  }

  /** In the order of the keys, undefined where there is none. */
  async findManyActive(
    db: Db,
    keys: readonly { conversationId: string; userId: string }[],
  ): Promise<(Membership | undefined)[]> {
    const rows = await db.query<Membership & { i: number }>(sql`
      SELECT k.i, ${ownColumns}, h.seq AS "headSeq", h.rev AS "headRev", c.type, c.settings,
             replace(replace(c.direct_key, m.user_id::text, ''), ':', '') AS "peerId"
      FROM unnest(${keys.map((k) => k.conversationId)}::uuid[], ${keys.map((k) => k.userId)}::uuid[]) WITH ORDINALITY
        AS k (conversation_id, user_id, i)
      JOIN memberships AS m ON m.conversation_id = k.conversation_id AND m.user_id = k.user_id AND m.state = 'active'
      JOIN conversation_head AS h ON h.conversation_id = m.conversation_id
      JOIN conversations AS c ON c.id = m.conversation_id`);
    const found = new Map(rows.map(({ i, ...membership }) => [i, membership]));
    return keys.map((_, i) => found.get(i + 1));
  }

  async me(db: Db, conversationId: string, userId: string): Promise<MeRow | undefined> {
    const rows = await db.query<MeRow>(sql`
      SELECT ${meColumns} FROM memberships AS m JOIN conversation_head AS h USING (conversation_id)
      WHERE m.conversation_id = ${conversationId} AND m.user_id = ${userId} AND m.state = 'active'`);
    return rows[0];
  }

  /** Memberships of a user that changed after a position of the user's feed. */
  async changedOf(db: Db, userId: string, after: number, upTo: number, limit: number): Promise<MeRow[]> {
    return db.query<MeRow>(sql`
      SELECT ${meColumns} FROM memberships AS m JOIN conversation_head AS h USING (conversation_id)
      WHERE m.user_id = ${userId} AND m.user_rev > ${after} AND m.user_rev <= ${upTo} ORDER BY m.user_rev LIMIT ${limit}`);
  }

  /** Not muted, not archived, and possibly unread. */
  async unreadOf(db: Db, userIds: readonly string[]): Promise<MeRow[]> {
    return db.query<MeRow>(sql`
      SELECT ${meColumns} FROM memberships AS m JOIN conversation_head AS h USING (conversation_id)
      WHERE m.user_id = ANY(${userIds}::uuid[]) AND m.state = 'active' AND m.archived_at IS NULL
        AND (m.muted_until IS NULL OR m.muted_until <= now()) AND (m.marked_unread OR h.seq > m.read_seq)`);
  }

  /** Members that changed in these ranges, by rev. When a conversation is deleted its own row says all. */
  async changed(db: Db, ranges: readonly FeedRange[], limit: number): Promise<MemberRow[]> {
    return db.query<MemberRow>(sql`
      SELECT m.* FROM ${unnestRanges(ranges)}
      CROSS JOIN LATERAL (
        SELECT ${memberColumns} FROM memberships AS m JOIN conversations AS c ON c.id = m.conversation_id
        WHERE m.conversation_id = r.id AND m.rev > r.after AND m.rev <= r.up_to AND (c.deleted_at IS NULL OR m.rev < c.rev)
        ORDER BY m.rev LIMIT ${limit}
      ) AS m`);
  }

  /** Active members by user id. */
  async page(db: Db, conversationId: string, after: string | null, limit: number): Promise<MemberRow[]> {
    const position = after ? sql`AND m.user_id > ${after}` : sql``;
    return db.query<MemberRow>(sql`
      SELECT ${memberColumns} FROM memberships AS m
      WHERE m.conversation_id = ${conversationId} AND m.state = 'active' ${position} ORDER BY m.user_id LIMIT ${limit}`);
  }

  /** The first `limit` active members of each conversation, by user id. */
  async firstOf(db: Db, conversationIds: readonly string[], limit: number): Promise<MemberRow[]> {
    return db.query<MemberRow>(sql`
      SELECT ${memberColumns} FROM unnest(${conversationIds}::uuid[]) AS c (id)
      CROSS JOIN LATERAL (SELECT * FROM memberships AS n WHERE n.conversation_id = c.id AND n.state = 'active' ORDER BY n.user_id LIMIT ${limit}) AS m`);
  }

  /** Active members of those of the conversations that have at most `max`. */
  async ofSmall(
    db: Db,
    conversationIds: readonly string[],
    max: number,
  ): Promise<{ conversationId: string; userIds: string[] }[]> {
    return db.query(sql`
      SELECT c.id AS "conversationId", m.ids AS "userIds" FROM unnest(${conversationIds}::uuid[]) AS c (id)
      CROSS JOIN LATERAL (
        SELECT array_agg(a.user_id) AS ids FROM (
          SELECT user_id FROM memberships WHERE conversation_id = c.id AND state = 'active' LIMIT ${max}::int + 1) AS a
      ) AS m
      WHERE cardinality(m.ids) <= ${max}::int`);
  }

  async countActive(db: Db, conversationId: string): Promise<number> {
    const rows = await db.query<{ count: number }>(sql`
      SELECT count(*) FROM memberships WHERE conversation_id = ${conversationId} AND state = 'active'`);
    return rows[0]?.count ?? 0;
  }

  async recipientsAt(db: Db, places: readonly Place[]): Promise<Recipient[]> {
    return db.query<Recipient>(sql`
      SELECT ${recipientColumns} FROM memberships
      JOIN unnest(${places.map((p) => p.conversationId)}::uuid[], ${places.map((p) => p.userId)}::uuid[])
        AS p (conversation_id, user_id) USING (conversation_id, user_id)
      WHERE state = 'active' ORDER BY conversation_id, user_id`);
  }

  async countsActive(db: Db, conversationIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await db.query<{ id: string; count: number }>(sql`
      SELECT conversation_id AS id, count(*) FROM memberships
      WHERE conversation_id = ANY(${conversationIds}::uuid[]) AND state = 'active' GROUP BY conversation_id`);
    return new Map(rows.map(({ id, count }) => [id, count]));
  }

  async activeIds(db: Db, conversationId: string): Promise<string[]> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT user_id AS id FROM memberships WHERE conversation_id = ${conversationId} AND state = 'active'`);
    return rows.map(({ id }) => id);
  }

  async activeAmong(db: Db, conversationId: string, userIds: readonly string[]): Promise<Set<string>> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT user_id AS id FROM memberships
      WHERE conversation_id = ${conversationId} AND user_id = ANY(${userIds}::uuid[]) AND state = 'active'`);
    return new Set(rows.map(({ id }) => id));
  }

  async activeIn(db: Db, userId: string, conversationIds: readonly string[]): Promise<Set<string>> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT conversation_id AS id FROM memberships
      WHERE user_id = ${userId} AND conversation_id = ANY(${conversationIds}::uuid[]) AND state = 'active'`);
    return new Set(rows.map(({ id }) => id));
  }

  async conversationIdsOf(db: Db, userId: string): Promise<string[]> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT conversation_id AS id FROM memberships WHERE user_id = ${userId} AND state = 'active'`);
    return rows.map(({ id }) => id);
  }

  /** Rooms of users, or the one asked for: conversation, present rev, first visible message. */
  async rooms(
    db: Db,
    userIds: readonly string[],
    conversationId?: string,
  ): Promise<{ userId: string; conversationId: string; rev: number; visibleFromSeq: number }[]> {
    const only = conversationId === undefined ? sql`` : sql`AND m.conversation_id = ${conversationId}`;
    return db.query(sql`
      SELECT m.user_id AS "userId", m.conversation_id AS "conversationId", h.rev, m.visible_from_seq AS "visibleFromSeq"
      FROM memberships AS m JOIN conversation_head AS h USING (conversation_id)
      WHERE m.user_id = ANY(${userIds}::uuid[]) AND m.state = 'active' ${only}`);
  }

  /** Who takes over from an owner: the oldest admin, else the oldest member. */
  async heirOf(db: Db, conversationId: string, ownerId: string): Promise<string | undefined> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT user_id AS id FROM memberships
      WHERE conversation_id = ${conversationId} AND state = 'active' AND user_id <> ${ownerId}
      ORDER BY (role = 'admin') DESC, joined_at, user_id LIMIT 1`);
    return rows[0]?.id;
  }

  async sharing(db: Db, userId: string, others: readonly string[]): Promise<Set<string>> {
    const rows = await db.query<{ id: string }>(sql`
      SELECT DISTINCT o.user_id AS id FROM memberships AS o JOIN memberships AS m USING (conversation_id)
      WHERE o.user_id = ANY(${others}::uuid[]) AND o.state = 'active' AND m.user_id = ${userId} AND m.state = 'active'`);
    return new Set(rows.map(({ id }) => id));
  }
}
