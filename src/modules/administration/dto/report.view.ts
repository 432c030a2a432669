import { z } from 'zod';
import type { ReportRow } from '../reports.repository.js';

const id = z.uuid();
const state = z.enum(['open', 'resolved', 'dismissed']);

/** What a reporter gets to know. */
export const filedReportView = z.object({ id, state });

export const reportView = z.object({
  id,
  reporterId: id,
  messageId: id.nullable(),
  userId: id.nullable(),
  /** Where the reported message stands, so that it can be deleted; null for users and messages that are gone. */
  place: z.object({ conversationId: id, seq: z.number().int(), senderId: id.nullable() }).nullable(),
  reason: z.enum(['spam', 'abuse', 'illegal', 'other']),
  note: z.string().nullable(),
  state,
  resolvedBy: id.nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});
export type ReportView = z.output<typeof reportView>;

export const toReportView = (row: ReportRow, place: ReportView['place']): ReportView => ({
  id: row.id,
  reporterId: row.reporterId,
  messageId: row.messageId,
  userId: row.userId,
  place,
  reason: row.reason,
  note: row.note,
  state: row.state,
  resolvedBy: row.resolvedBy,
  resolvedAt: row.resolvedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
});
