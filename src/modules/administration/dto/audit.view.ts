import { z } from 'zod';
import type { AuditRow } from '../audit.repository.js';

const snapshot = z.record(z.string(), z.unknown()).nullable();

export const auditView = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  /** Null: Parley itself, or the command line. */
  actorId: z.uuid().nullable(),
  action: z.string(),
  permission: z.string(),
  targetType: z.string(),
  targetId: z.string().nullable(),
  before: snapshot,
  after: snapshot,
  requestId: z.string(),
  hash: z.string(),
});
export type AuditView = z.output<typeof auditView>;

export const auditVerdict = z.object({ ok: z.boolean(), checked: z.number().int(), brokenAt: z.uuid().nullable() });
export type AuditVerdict = z.output<typeof auditVerdict>;

export const toAuditView = (row: AuditRow): AuditView => ({
  id: row.id,
  at: row.at.toISOString(),
  actorId: row.actorId,
  action: row.action,
  permission: row.permission,
  targetType: row.targetType,
  targetId: row.targetId,
  before: row.before,
  after: row.after,
  requestId: row.requestId,
  hash: row.hash,
});
