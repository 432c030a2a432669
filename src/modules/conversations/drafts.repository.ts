import { Injectable } from '@nestjs/common';
import type { Db, Tx } from '../../platform/database/db.js';
import { rawSql, sql } from '../../platform/database/sql.js';

export interface DraftRow {
  conversationId: string;
  /** Null outside threads. */
  threadId: string | null;
  body: string;
  replyToSeq: number | null;
  attachmentIds: string[];
  updatedAt: Date;
  rev: number;
  deletedAt: Date | null;
}

/** Which draft: one per user, conversation and thread. */
export interface DraftKey {
  userId: string;
  conversationId: string;
  threadId: string | null;
}

/** Stands for "no thread", so that it can be part of the key. */
const NO_THREAD = '00000000-0000-0000-0000-000000000000';
const columns = rawSql(`
  d.conversation_id AS "conversationId", NULLIF(d.thread_id, '${NO_THREAD}') AS "threadId", d.body, d.reply_to_seq AS "replyToSeq",
  d.attachment_ids AS "attachmentIds", d.updated_at AS "updatedAt", d.rev, d.deleted_at AS "deletedAt"`);

@Injectable()
export class DraftsRepository {
  /** The last write wins, as the next entry of the user's feed. */
  async put(
    tx: Tx,
    { userId, conversationId, threadId }: DraftKey,
    content: Pick<DraftRow, 'body' | 'replyToSeq' | 'attachmentIds'>,
  ): Promise<DraftRow> {
    const [row] = await tx.query<DraftRow>(sql`
      WITH u AS MATERIALIZED (SELECT user_advance(${userId}, 1) + 1 AS rev)
      INSERT INTO drafts AS d (user_id, conversation_id, thread_id, rev, body, reply_to_seq, attachment_ids)
      SELECT ${userId}::uuid, ${conversationId}::uuid, ${threadId ?? NO_THREAD}::uuid, u.rev, ${content.body}::text,
             ${content.replyToSeq}::bigint, ${content.attachmentIds}::uuid[] FROM u
      ON CONFLICT (user_id, conversation_id, thread_id) DO UPDATE
      SET rev = EXCLUDED.rev, body = EXCLUDED.body, reply_to_seq = EXCLUDED.reply_to_seq, attachment_ids = EXCLUDED.attachment_ids,
          updated_at = now(), deleted_at = NULL
      RETURNING ${columns}`);
    if (!row) throw new Error('upsert returned no row');
    return row;
  }

  /** The rev of the removal; undefined when there is no such draft. */
  async remove(tx: Tx, { userId, conversationId, threadId }: DraftKey): Promise<number | undefined> {
    const key = sql`user_id = ${userId} AND conversation_id = ${conversationId} AND thread_id = ${threadId ?? NO_THREAD}::uuid AND deleted_at IS NULL`;
    const [row] = await tx.query<{ rev: number }>(sql`
      WITH u AS MATERIALIZED (SELECT user_advance(${userId}, 1) + 1 AS rev WHERE EXISTS (SELECT FROM drafts WHERE ${key}))
      UPDATE drafts AS d SET rev = u.rev, body = '', reply_to_seq = NULL, attachment_ids = '{}', updated_at = now(), deleted_at = now()
      FROM u WHERE ${key} RETURNING d.rev`);
    return row?.rev;
  }

  /** For an account that is gone. */
  async removeAll(db: Db, userId: string): Promise<void> {
    await db.execute(sql`DELETE FROM drafts WHERE user_id = ${userId}`);
  }

  /** Of conversations the user is still in; the latest first. */
  async list(db: Db, userId: string, before: number | null, limit: number): Promise<DraftRow[]> {
    const position = before === null ? sql`` : sql`AND d.rev < ${before}`;
    return db.query<DraftRow>(sql`
      SELECT ${columns} FROM drafts AS d JOIN memberships AS m USING (user_id, conversation_id)
      WHERE d.user_id = ${userId} AND d.deleted_at IS NULL AND m.state = 'active' ${position} ORDER BY d.rev DESC LIMIT ${limit}`);
  }

  /** Entries of the user's feed after a position, removed ones included. */
  async changed(db: Db, userId: string, after: number, upTo: number, limit: number): Promise<DraftRow[]> {
    return db.query<DraftRow>(sql`
      SELECT ${columns} FROM drafts AS d
      WHERE d.user_id = ${userId} AND d.rev > ${after} AND d.rev <= ${upTo} ORDER BY d.rev LIMIT ${limit}`);
  }
}
