import { Injectable } from '@nestjs/common';
import type { Db, Tx } from '../../platform/database/db.js';
import { rawSql, sql } from '../../platform/database/sql.js';
import type { Role } from './conversations.rules.js';

export interface InviteRow {
  id: string;
  conversationId: string;
  role: Role;
  createdBy: string;
  maxUses: number | null;
  uses: number;
  expiresAt: Date;
  revokedAt: Date | null;
  /** Whether it can be used now, by database time. */
  usable: boolean;
}

const usable = rawSql(
  '(i.revoked_at IS NULL AND i.expires_at > now() AND (i.max_uses IS NULL OR i.uses < i.max_uses))',
);
const columns = sql`
  i.id, i.conversation_id AS "conversationId", i.role, i.created_by AS "createdBy", i.max_uses AS "maxUses", i.uses,
  i.expires_at AS "expiresAt", i.revoked_at AS "revokedAt", ${usable} AS usable`;

@Injectable()
export class InvitesRepository {
  async insert(
    tx: Tx,
    row: {
      id: string;
      conversationId: string;
      codeHash: string;
      role: Role;
      createdBy: string;
      maxUses: number | null;
      expiresInSec: number;
    },
  ): Promise<InviteRow> {
    const [inserted] = await tx.query<InviteRow>(sql`
      INSERT INTO conversation_invites AS i (id, conversation_id, code_hash, role, created_by, max_uses, expires_at)
      VALUES (${row.id}, ${row.conversationId}, ${row.codeHash}, ${row.role}, ${row.createdBy}, ${row.maxUses},
              now() + make_interval(secs => ${row.expiresInSec}))
      RETURNING ${columns}`);
    if (!inserted) throw new Error('insert returned no row');
    return inserted;
  }

  /** How many of a conversation can still be used. */
  async countUsable(db: Db, conversationId: string): Promise<number> {
    const [row] = await db.query<{ n: number }>(sql`
      SELECT count(*) AS n FROM conversation_invites AS i WHERE i.conversation_id = ${conversationId} AND ${usable}`);
    return row?.n ?? 0;
  }

  /** Those not revoked, the newest first. */
  async list(db: Db, conversationId: string, before: string | null, limit: number): Promise<InviteRow[]> {
    const position = before ? sql`AND i.id < ${before}` : sql``;
    return db.query<InviteRow>(sql`
      SELECT ${columns} FROM conversation_invites AS i
      WHERE i.conversation_id = ${conversationId} AND i.revoked_at IS NULL ${position} ORDER BY i.id DESC LIMIT ${limit}`);
  }

  /** `gone` when its conversation was deleted. */
  async findByCode(db: Db, codeHash: string): Promise<(InviteRow & { gone: boolean }) | undefined> {
    const [row] = await db.query<InviteRow & { gone: boolean }>(sql`
      SELECT ${columns}, c.deleted_at IS NOT NULL AS gone
      FROM conversation_invites AS i JOIN conversations AS c ON c.id = i.conversation_id WHERE i.code_hash = ${codeHash}`);
    return row;
  }

  /** Counts one use; false when it cannot be used any more. */
  async use(tx: Tx, id: string): Promise<boolean> {
    return (
      (await tx.execute(sql`UPDATE conversation_invites AS i SET uses = uses + 1 WHERE i.id = ${id} AND ${usable}`)) > 0
    );
  }

  /** Revoking again is no change; false when there is none with this id. */
  async revoke(db: Db, conversationId: string, id: string): Promise<boolean> {
    const touched = await db.execute(sql`
      UPDATE conversation_invites SET revoked_at = COALESCE(revoked_at, now()) WHERE conversation_id = ${conversationId} AND id = ${id}`);
    return touched > 0;
  }
}
