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

export const auditVerdict = z.object({
  ok: z.boolean(),
  /** Entries that are what was written. */
  checked: z.number().int(),
  /** The first entry that is not, or that follows one which is missing. */
  brokenAt: z.uuid().nullable(),
  /** An entry; the end (entries are missing there, or it was forged); or the given anchor. */
  fault: z.enum(['entry', 'end', 'anchor']).nullable(),
  head: z.object({ entries: z.number().int(), hash: z.string() }).nullable(),
});
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
