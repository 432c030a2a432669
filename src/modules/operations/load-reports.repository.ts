import type { Db } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';

export interface LoadReportRow {
  id: string;
  name: string;
  scenario: string;
  version: string;
  startedAt: Date;
  finishedAt: Date;
  summary: unknown;
  createdBy: string;
}

const columns: Sql = sql`
  id, name, scenario, version, started_at AS "startedAt", finished_at AS "finishedAt", summary, created_by AS "createdBy"`;

export const insertLoadReport = (db: Db, report: LoadReportRow): Promise<LoadReportRow[]> =>
  db.query<LoadReportRow & Record<string, unknown>>(sql`
    INSERT INTO load_test_reports (id, name, scenario, version, started_at, finished_at, summary, created_by)
    VALUES (${report.id}, ${report.name}, ${report.scenario}, ${report.version}, ${report.startedAt},
            ${report.finishedAt}, ${JSON.stringify(report.summary)}::jsonb, ${report.createdBy})
    RETURNING ${columns}`);

export const findLoadReport = (db: Db, id: string): Promise<LoadReportRow[]> =>
  db.query<LoadReportRow & Record<string, unknown>>(sql`SELECT ${columns} FROM load_test_reports WHERE id = ${id}`);

/** Last stored first. */
export const listLoadReports = (
  db: Db,
  { scenario, before }: { scenario: string | null; before: string | null },
  limit: number,
): Promise<LoadReportRow[]> =>
  db.query<LoadReportRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM load_test_reports
    WHERE (${scenario}::text IS NULL OR scenario = ${scenario}) AND (${before}::uuid IS NULL OR id < ${before})
    ORDER BY id DESC LIMIT ${limit}`);
