import { Injectable } from '@nestjs/common';
import type { Db, Tx } from '../../platform/database/db.js';
import { rawSql, type Sql, sql } from '../../platform/database/sql.js';
import type { FeedRange } from '../../platform/realtime/feeds.js';
import { type ConversationType, escapeLike, type Settings } from './conversations.rules.js';
import { type MeRow, meColumns, unnestRanges } from './members.repository.js';

export interface ConversationRow {
  id: string;
  type: ConversationType;
  title: string | null;
  description: string | null;
  avatarMediaId: string | null;
  visibility: 'private' | 'public';
  settings: Settings;
  createdBy: string;
  rev: number;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}

export type NewConversation = Pick<
  ConversationRow,
  'id' | 'type' | 'title' | 'description' | 'visibility' | 'settings' | 'createdBy'
> & { directKey: string | null };

/** The counters of a conversation: messages, those that count as unread, changes. */
export interface Head {
  seq: number;
  ord: number;
  rev: number;
}

/** What a change draws, and whose watermarks it moves; `seq` and `ord` of a mark are offsets from the head before the step. */
export interface Step {
  conversationId: string;
  seqs?: number;
  ords?: number;
  revs?: number;
  /** Raises last_delete_seq: unread of those who have not read so far is counted from now on. */
  deleteSeq?: number | null;
  /** In whose name the step happens; each must be an active member. */
  marks?: readonly { actorId: string; seq: number; ord: number; force: boolean }[];
}

/** A conversation with its reader's side; `activity` orders lists, `memberCount` counts active members. */
export interface DetailRow extends ConversationRow, MeRow {
  activity: Date;
  memberCount: number;
}

export type Filter = 'active' | 'archived' | 'unread';

export const conversationColumns = sql`
  c.id, c.type, c.title, c.description, c.avatar_media_id AS "avatarMediaId", c.visibility, c.settings,
  c.created_by AS "createdBy", c.rev, c.created_at AS "createdAt", c.updated_at AS "updatedAt", c.deleted_at AS "deletedAt"`;

export const memberCount = sql`
  (SELECT count(*) FROM memberships AS a WHERE a.conversation_id = c.id AND a.state = 'active') AS "memberCount"`;

/** Active memberships of one user with their conversations and heads. */
const details = (condition: Sql) => sql`
  SELECT ${conversationColumns}, ${meColumns}, ${memberCount}, h.active_at AS activity
  FROM memberships AS m
  JOIN conversations AS c ON c.id = m.conversation_id AND c.deleted_at IS NULL
  JOIN conversation_head AS h ON h.conversation_id = m.conversation_id
  WHERE m.state = 'active' AND ${condition}`;

const filters: Record<Filter, Sql> = {
  active: rawSql('m.archived_at IS NULL'),
  archived: rawSql('m.archived_at IS NOT NULL'),
  unread: rawSql('m.archived_at IS NULL AND (m.marked_unread OR h.ord > m.read_ord)'),
};

/** Above every transaction. */
const NEVER = '18446744073709551615';

@Injectable()
export class ConversationsRepository {
  /** Answers undefined when the pair of a direct conversation has one already. */
  async insert(tx: Tx, row: NewConversation): Promise<ConversationRow | undefined> {
    const rows = await tx.query<ConversationRow>(sql`
      INSERT INTO conversations AS c (id, type, direct_key, title, description, visibility, settings, created_by, rev)
      VALUES (${row.id}, ${row.type}, ${row.directKey}, ${row.title}, ${row.description}, ${row.visibility},
              ${JSON.stringify(row.settings)}::jsonb, ${row.createdBy}, 1)
      ON CONFLICT (direct_key) DO NOTHING
      RETURNING ${conversationColumns}`);
    return rows[0];
  }

  /** The head of a new conversation, which nobody else can see yet. */
  async insertHead(tx: Tx, conversationId: string, head: Head): Promise<void> {
    await tx.execute(sql`
      INSERT INTO conversation_head (conversation_id, seq, ord, rev) VALUES (${conversationId}, ${head.seq}, ${head.ord}, ${head.rev})`);
  }

  async idOfPair(db: Db, directKey: string): Promise<string | undefined> {
    const rows = await db.query<{ id: string }>(
      sql`SELECT id FROM conversations WHERE direct_key = ${directKey} AND deleted_at IS NULL`,
    );
    return rows[0]?.id;
  }

  async find(db: Db, id: string): Promise<ConversationRow | undefined> {
    const rows = await db.query<ConversationRow>(
      sql`SELECT ${conversationColumns} FROM conversations AS c WHERE c.id = ${id}`,
    );
    return rows[0];
  }

  /**
   * Takes the head's row lock: until the transaction ends nobody else changes the conversation. With `memberId` only for
   * an active member, so that strangers hold nobody up. Read what the decision needs after it, in a new statement.
   */
  async lock(tx: Tx, id: string, memberId?: string): Promise<Head | undefined> {
    const member = memberId
      ? sql`AND EXISTS (SELECT FROM memberships AS m WHERE m.conversation_id = ${id} AND m.user_id = ${memberId} AND m.state = 'active')`
      : sql``;
    const rows = await tx.query<Head>(sql`
      SELECT h.seq, h.ord, h.rev FROM conversation_head AS h WHERE h.conversation_id = ${id} ${member} FOR NO KEY UPDATE`);
    return rows[0];
  }

  async advance(
    tx: Tx,
    { conversationId, seqs = 0, ords = 0, revs = 0, deleteSeq = null, marks = [] }: Step,
  ): Promise<Head> {
    const rows = await tx.query<Head>(sql`
      SELECT seq, ord, rev FROM conversation_advance(${conversationId}::uuid, ${seqs}::int, ${ords}::int, ${revs}::int, ${deleteSeq}::bigint,
        ${marks.map((m) => m.actorId)}::uuid[], ${marks.map((m) => m.seq)}::bigint[], ${marks.map((m) => m.ord)}::bigint[],
        ${marks.map((m) => m.force)}::boolean[])`);
    const [head] = rows;
    if (!head) throw new Error('conversation_advance answered no row');
    return head;
  }

  async heads(db: Db, ids: readonly string[]): Promise<Map<string, Head>> {
    const rows = await db.query<Head & { id: string }>(sql`
      SELECT conversation_id AS id, seq, ord, rev FROM conversation_head WHERE conversation_id = ANY(${ids}::uuid[])`);
    return new Map(rows.map(({ id, ...head }) => [id, head]));
  }

  /**
   * Heads whose last change is at or above a transaction horizon, and the horizon of this very snapshot: whatever it does
   * not see yet will be at or above it.
   */
  async movedHeads(db: Db, since = NEVER): Promise<{ heads: Map<string, number>; horizon: string }> {
    const rows = await db.query<{ horizon: string; id: string | null; rev: number }>(sql`
      SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon, h.conversation_id AS id, h.rev
      FROM (VALUES (1)) AS one LEFT JOIN conversation_head h ON h.updated_xid >= ${since}::xid8`);
    const heads = new Map(rows.flatMap(({ id, rev }) => (id === null ? [] : [[id, rev] as const])));
    return { heads, horizon: rows[0]?.horizon ?? NEVER };
  }

  async update(tx: Tx, row: ConversationRow, rev: number): Promise<ConversationRow> {
    const rows = await tx.query<ConversationRow>(sql`
      UPDATE conversations AS c
      SET title = ${row.title}, description = ${row.description}, avatar_media_id = ${row.avatarMediaId}, visibility = ${row.visibility},
          settings = ${JSON.stringify(row.settings)}::jsonb, rev = ${rev}, updated_at = now()
      WHERE c.id = ${row.id} RETURNING ${conversationColumns}`);
    return rows[0] ?? row;
  }

  /** A deleted direct conversation gives its pair free. */
  async markDeleted(tx: Tx, id: string, rev: number): Promise<void> {
    await tx.execute(sql`
      UPDATE conversations SET deleted_at = now(), updated_at = now(), rev = ${rev}, direct_key = direct_key || ':' || id
      WHERE id = ${id}`);
  }

  /** The conversations of one user, last activity first. */
  async list(
    db: Db,
    userId: string,
    filter: Filter,
    before: readonly [string, string] | null,
    limit: number,
  ): Promise<DetailRow[]> {
    const position = before ? sql`AND (h.active_at, c.id) < (${before[0]}::timestamptz, ${before[1]}::uuid)` : sql``;
    return db.query<DetailRow>(sql`
      ${details(sql`m.user_id = ${userId} AND ${filters[filter]} ${position}`)}
      ORDER BY h.active_at DESC, c.id DESC LIMIT ${limit}`);
  }

  /** Those of `ids` the user is an active member of. */
  async details(db: Db, userId: string, ids: readonly string[]): Promise<DetailRow[]> {
    return db.query<DetailRow>(details(sql`m.user_id = ${userId} AND m.conversation_id = ANY(${ids}::uuid[])`));
  }

  /** Conversations of one user by id, for a walk over all of them. */
  async after(db: Db, userId: string, after: string | null, limit: number): Promise<DetailRow[]> {
    const position = after ? sql`AND m.conversation_id > ${after}` : sql``;
    return db.query<DetailRow>(
      sql`${details(sql`m.user_id = ${userId} ${position}`)} ORDER BY m.conversation_id LIMIT ${limit}`,
    );
  }

  /** Public channels whose title contains the text, the most similar first. */
  async discover(
    db: Db,
    text: string,
    offset: number,
    limit: number,
  ): Promise<(ConversationRow & { memberCount: number })[]> {
    const match = text === '' ? sql`` : sql`AND c.title ILIKE ${`%${escapeLike(text)}%`}`;
    return db.query(sql`
      SELECT ${conversationColumns}, ${memberCount} FROM conversations AS c
      WHERE c.visibility = 'public' AND c.deleted_at IS NULL ${match}
      ORDER BY similarity(c.title, ${text}) DESC, c.id LIMIT ${limit} OFFSET ${offset}`);
  }

  /** Conversation rows that changed in these ranges. */
  async changed(db: Db, ranges: readonly FeedRange[]): Promise<ConversationRow[]> {
    return db.query<ConversationRow>(sql`
      SELECT ${conversationColumns} FROM ${unnestRanges(ranges)}
      JOIN conversations AS c ON c.id = r.id AND c.rev > r.after AND c.rev <= r.up_to`);
  }
}
