import { Injectable } from '@nestjs/common';
import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** One receipt ready to be stored; null where it says nothing. */
export interface Mark {
  conversationId: string;
  userId: string;
  delivered: number | null;
  read: number | null;
  readOrd: number | null;
  foreground: number | null;
}

/** Watermarks after a mark; `moved` when one of them rose. */
export interface Watermarks {
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  readSeq: number;
  moved: boolean;
}

@Injectable()
export class ReceiptsRepository {
  /** One row per active membership spoken of; others are passed over. */
  async mark(db: Db, marks: readonly Mark[]): Promise<Watermarks[]> {
    return db.query<Watermarks>(sql`
      SELECT conversation_id AS "conversationId", user_id AS "userId", delivered_seq AS "deliveredSeq", read_seq AS "readSeq", moved
      FROM membership_mark(${marks.map((m) => m.conversationId)}::uuid[], ${marks.map((m) => m.userId)}::uuid[],
        ${marks.map((m) => m.delivered)}::bigint[], ${marks.map((m) => m.read)}::bigint[], ${marks.map((m) => m.readOrd)}::bigint[],
        ${marks.map((m) => m.foreground)}::bigint[])`);
  }

  /** Those of these active memberships. */
  async ofMembers(
    db: Db,
    members: readonly { conversationId: string; userId: string }[],
  ): Promise<Omit<Watermarks, 'moved'>[]> {
    return db.query(sql`
      SELECT m.conversation_id AS "conversationId", m.user_id AS "userId", m.delivered_seq AS "deliveredSeq", m.read_seq AS "readSeq"
      FROM unnest(${members.map((m) => m.conversationId)}::uuid[], ${members.map((m) => m.userId)}::uuid[]) AS w(conversation_id, user_id)
      JOIN memberships AS m USING (conversation_id, user_id) WHERE m.state = 'active'`);
  }

  /** Watermarks of all active members of some conversations. */
  async of(db: Db, conversationIds: readonly string[]): Promise<Omit<Watermarks, 'moved'>[]> {
    return db.query(sql`
      SELECT conversation_id AS "conversationId", user_id AS "userId", delivered_seq AS "deliveredSeq", read_seq AS "readSeq"
      FROM memberships WHERE conversation_id = ANY(${conversationIds}::uuid[]) AND state = 'active' ORDER BY conversation_id, user_id`);
  }
}
