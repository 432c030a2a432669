import { Injectable } from '@nestjs/common';
import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { MemberState, NotifyLevel, Role } from './conversations.rules.js';
import { type MemberRow, memberColumns } from './members.repository.js';

/** A membership that was written, with its place in its user's feed. */
export type ChangedMember = MemberRow & { userRev: number };

export interface Entrants {
  conversationId: string;
  userIds: readonly string[];
  roles: readonly Role[];
  /** The first one's; the others follow. */
  firstRev: number;
  /** The head when all is done: nothing is unread for those who come. */
  readSeq: number;
  readOrd: number;
  visibleFromSeq: number;
  invitedBy: string | null;
}

/** The flags a user sets for themselves. */
export interface PrivateFlags {
  notifyLevel: NotifyLevel;
  mutedUntil: Date | null;
  pinned: boolean;
  archived: boolean;
  markedUnread: boolean;
}

const changedColumns = sql`${memberColumns}, m.user_rev AS "userRev"`;

/**
 * Writes of memberships, for whoever holds the conversation's head. Existing rows are locked first, in user order, and the
 * users' heads after them (protocol, rule 7.3).
 */
@Injectable()
export class MemberChangesRepository {
  /**
   * Memberships in whatever state: one that is only read, and those about to be written, which are held until the
   * transaction ends. What is read stands still as well, as long as the head is held.
   */
  async read(
    tx: Tx,
    conversationId: string,
    readerId: string,
    toWrite: readonly string[],
  ): Promise<Map<string, MemberRow>> {
    const rows = await tx.query<MemberRow>(sql`
      WITH held AS MATERIALIZED (
        SELECT ${memberColumns} FROM memberships AS m
        WHERE m.conversation_id = ${conversationId} AND m.user_id = ANY(${toWrite}::uuid[])
        ORDER BY m.user_id FOR NO KEY UPDATE)
      SELECT * FROM held UNION ALL
      SELECT ${memberColumns} FROM memberships AS m
      WHERE m.conversation_id = ${conversationId} AND m.user_id = ${readerId} AND m.user_id <> ALL(${toWrite}::uuid[])`);
    return new Map(rows.map((row) => [row.userId, row]));
  }

  /** Every active member, held until the transaction ends. */
  async lockActive(tx: Tx, conversationId: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(sql`
      SELECT user_id AS id FROM memberships WHERE conversation_id = ${conversationId} AND state = 'active'
      ORDER BY user_id FOR NO KEY UPDATE`);
    return rows.map(({ id }) => id);
  }

  async count(db: Db, conversationId: string): Promise<{ active: number; owners: number }> {
    const rows = await db.query<{ active: number; owners: number }>(sql`
      SELECT count(*) AS active, count(*) FILTER (WHERE role = 'owner') AS owners
      FROM memberships WHERE conversation_id = ${conversationId} AND state = 'active'`);
    return rows[0] ?? { active: 0, owners: 0 };
  }

  /** Makes users members, new ones and former ones alike; what a former one had set is forgotten. By rev. */
  async enter(
    tx: Tx,
    { conversationId, userIds, roles, firstRev, readSeq, readOrd, visibleFromSeq, invitedBy }: Entrants,
  ): Promise<ChangedMember[]> {
    const rows = await tx.query<ChangedMember>(sql`
      WITH u AS MATERIALIZED (SELECT user_id, rev_before + 1 AS rev FROM user_advance_many(${userIds}::uuid[], 1))
      INSERT INTO memberships AS m
        (conversation_id, user_id, rev, user_rev, role, visible_from_seq, delivered_seq, read_seq, read_ord, invited_by)
      SELECT ${conversationId}::uuid, n.user_id, ${firstRev}::bigint + n.i - 1, u.rev, n.role, ${visibleFromSeq}::bigint,
             ${readSeq}::bigint, ${readSeq}::bigint, ${readOrd}::bigint, ${invitedBy}::uuid
      FROM unnest(${userIds}::uuid[], ${roles}::member_role[]) WITH ORDINALITY AS n (user_id, role, i) JOIN u USING (user_id)
      ORDER BY n.user_id
      ON CONFLICT (conversation_id, user_id) DO UPDATE
      SET rev = EXCLUDED.rev, user_rev = EXCLUDED.user_rev, role = EXCLUDED.role, state = 'active',
          visible_from_seq = EXCLUDED.visible_from_seq, delivered_seq = EXCLUDED.delivered_seq, read_seq = EXCLUDED.read_seq,
          read_ord = EXCLUDED.read_ord, notify_level = 'default', muted_until = NULL, pinned_at = NULL, archived_at = NULL,
          marked_unread = false, invited_by = EXCLUDED.invited_by, joined_at = now(), left_at = NULL
      RETURNING ${changedColumns}`);
    // A user without a head yields no row, and the rev drawn for it would be a hole.
    if (rows.length !== userIds.length) throw new Error(`${userIds.length - rows.length} users have no head`);
    return rows.toSorted((a, b) => a.rev - b.rev);
  }

  async setState(
    tx: Tx,
    conversationId: string,
    userId: string,
    state: MemberState,
    rev: number,
  ): Promise<ChangedMember> {
    return one(
      await tx.query<ChangedMember>(sql`
        WITH u AS MATERIALIZED (SELECT user_advance(${userId}, 1) + 1 AS rev)
        UPDATE memberships AS m SET state = ${state}, left_at = now(), rev = ${rev}, user_rev = u.rev FROM u
        WHERE m.conversation_id = ${conversationId} AND m.user_id = ${userId} RETURNING ${changedColumns}`),
    );
  }

  async setRole(tx: Tx, conversationId: string, userId: string, role: Role, rev: number): Promise<ChangedMember> {
    return one(
      await tx.query<ChangedMember>(sql`
        WITH u AS MATERIALIZED (SELECT user_advance(${userId}, 1) + 1 AS rev)
        UPDATE memberships AS m SET role = ${role}, rev = ${rev}, user_rev = u.rev FROM u
        WHERE m.conversation_id = ${conversationId} AND m.user_id = ${userId} RETURNING ${changedColumns}`),
    );
  }

  /** Ends the memberships `lockActive` has locked, all with the rev of the deletion. */
  async endAll(
    tx: Tx,
    conversationId: string,
    userIds: readonly string[],
    rev: number,
  ): Promise<{ userId: string; userRev: number }[]> {
    return tx.query(sql`
      WITH u AS MATERIALIZED (SELECT user_id, rev_before + 1 AS rev FROM user_advance_many(${userIds}::uuid[], 1))
      UPDATE memberships AS m SET state = 'removed', left_at = now(), rev = ${rev}, user_rev = u.rev FROM u
      WHERE m.conversation_id = ${conversationId} AND m.user_id = u.user_id
      RETURNING m.user_id AS "userId", m.user_rev AS "userRev"`);
  }

  /** Those of the users who are now in more than `max` conversations. Their heads are locked, so nobody adds one meanwhile. */
  async overfull(tx: Tx, userIds: readonly string[], max: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(sql`
      SELECT user_id AS id FROM memberships WHERE user_id = ANY(${userIds}::uuid[]) AND state = 'active'
      GROUP BY user_id HAVING count(*) > ${max}`);
    return rows.map(({ id }) => id);
  }

  /** The flags of an active membership, held until the transaction ends. */
  async lockFlags(tx: Tx, conversationId: string, userId: string): Promise<PrivateFlags | undefined> {
    const rows = await tx.query<PrivateFlags>(sql`
      SELECT notify_level AS "notifyLevel", muted_until AS "mutedUntil", pinned_at IS NOT NULL AS pinned,
             archived_at IS NOT NULL AS archived, marked_unread AS "markedUnread"
      FROM memberships WHERE conversation_id = ${conversationId} AND user_id = ${userId} AND state = 'active' FOR NO KEY UPDATE`);
    return rows[0];
  }

  /** Answers the rev in the user's feed. What was pinned or archived before keeps its time. */
  async setFlags(tx: Tx, conversationId: string, userId: string, flags: PrivateFlags): Promise<number> {
    const { userRev } = one(
      await tx.query<{ userRev: number }>(sql`
        WITH u AS MATERIALIZED (SELECT user_advance(${userId}, 1) + 1 AS rev)
        UPDATE memberships AS m
        SET notify_level = ${flags.notifyLevel}, muted_until = ${flags.mutedUntil}, marked_unread = ${flags.markedUnread},
            pinned_at = CASE WHEN ${flags.pinned}::boolean THEN COALESCE(m.pinned_at, now()) END,
            archived_at = CASE WHEN ${flags.archived}::boolean THEN COALESCE(m.archived_at, now()) END, user_rev = u.rev
        FROM u WHERE m.conversation_id = ${conversationId} AND m.user_id = ${userId} RETURNING m.user_rev AS "userRev"`),
    );
    return userRev;
  }
}

function one<Row>([row]: readonly Row[]): Row {
  if (!row) throw new Error('a locked membership has gone');
  return row;
}
