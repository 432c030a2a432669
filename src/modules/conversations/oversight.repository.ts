import { Injectable } from '@nestjs/common';
import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import { conversationColumns, type ConversationRow, type Head, memberCount } from './conversations.repository.js';
import { type ConversationType, escapeLike, type MemberState, type Role } from './conversations.rules.js';

export type HeadRow = Head & { lastDeleteSeq: number };

export interface WatermarkRow {
  userId: string;
  role: Role;
  state: MemberState;
  rev: number;
  visibleFromSeq: number;
  deliveredSeq: number;
  readSeq: number;
  readOrd: number;
  joinedAt: Date;
  leftAt: Date | null;
}

/** What moderators and operators look at: every conversation, deleted ones included. */
@Injectable()
export class OversightRepository {
  /** The newest first; `text` is part of a title. */
  async list(
    db: Db,
    { text, type }: { text?: string | undefined; type?: ConversationType | undefined },
    before: string | null,
    limit: number,
  ): Promise<(ConversationRow & { memberCount: number })[]> {
    const title = text === undefined ? sql`` : sql`AND c.title ILIKE ${`%${escapeLike(text)}%`}`;
    const ofType = type === undefined ? sql`` : sql`AND c.type = ${type}`;
    const position = before === null ? sql`` : sql`AND c.id < ${before}`;
    return db.query(sql`
      SELECT ${conversationColumns}, ${memberCount} FROM conversations AS c
      WHERE true ${title} ${ofType} ${position} ORDER BY c.id DESC LIMIT ${limit}`);
  }

  async head(db: Db, id: string): Promise<HeadRow | undefined> {
    const [row] = await db.query<HeadRow>(sql`
      SELECT seq, ord, rev, last_delete_seq AS "lastDeleteSeq" FROM conversation_head WHERE conversation_id = ${id}`);
    return row;
  }

  /** Members of every state, the last changed first. */
  async watermarks(db: Db, id: string, limit: number): Promise<WatermarkRow[]> {
    return db.query<WatermarkRow>(sql`
      SELECT user_id AS "userId", role, state, rev, visible_from_seq AS "visibleFromSeq", delivered_seq AS "deliveredSeq",
             read_seq AS "readSeq", read_ord AS "readOrd", joined_at AS "joinedAt", left_at AS "leftAt"
      FROM memberships WHERE conversation_id = ${id} ORDER BY rev DESC LIMIT ${limit}`);
  }
}
