import type { Db, Tx } from '../../platform/database/db.js';
import { joinSql, sql } from '../../platform/database/sql.js';

export type ReportState = 'open' | 'resolved' | 'dismissed';
export type ReportReason = 'spam' | 'abuse' | 'illegal' | 'other';

export interface ReportRow {
  id: string;
  reporterId: string;
  messageId: string | null;
  userId: string | null;
  reason: ReportReason;
  note: string | null;
  state: ReportState;
  resolvedBy: string | null;
  resolvedAt: Date | null;
  createdAt: Date;
}

const columns = sql`
  id, reporter_id AS "reporterId", message_id AS "messageId", user_id AS "userId", reason, note, state,
  resolved_by AS "resolvedBy", resolved_at AS "resolvedAt", created_at AS "createdAt"`;

export const insertReport = (
  tx: Tx,
  report: Pick<ReportRow, 'id' | 'reporterId' | 'messageId' | 'userId' | 'reason' | 'note'>,
): Promise<number> =>
  tx.execute(sql`
    INSERT INTO reports (id, reporter_id, message_id, user_id, reason, note)
    VALUES (${report.id}, ${report.reporterId}, ${report.messageId}, ${report.userId}, ${report.reason}, ${report.note})`);

export async function findReport(db: Db, id: string): Promise<ReportRow | undefined> {
  const [row] = await db.query<ReportRow>(sql`SELECT ${columns} FROM reports WHERE id = ${id}`);
  return row;
}

/** The newest first, below `before`. */
export function listReports(
  db: Db,
  state: ReportState | undefined,
  before: string | null,
  limit: number,
): Promise<ReportRow[]> {
  const conditions = [sql`true`];
  if (state !== undefined) conditions.push(sql`state = ${state}`);
  if (before !== null) conditions.push(sql`id < ${before}`);
  return db.query<ReportRow>(sql`
    SELECT ${columns} FROM reports WHERE ${joinSql(conditions, ' AND ')} ORDER BY id DESC LIMIT ${limit}`);
}

/** Closes an open report; undefined when it is not open, or not there. */
export async function closeReport(
  tx: Tx,
  id: string,
  state: Exclude<ReportState, 'open'>,
  by: string,
): Promise<ReportRow | undefined> {
  const [row] = await tx.query<ReportRow>(sql`
    UPDATE reports SET state = ${state}, resolved_by = ${by}, resolved_at = now()
    WHERE id = ${id} AND state = 'open' RETURNING ${columns}`);
  return row;
}
