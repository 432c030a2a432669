import { z } from 'zod';
import type { DecisionRow } from '../decisions.repository.js';
import { decisionReasons } from '../notifications.rules.js';

const time = z.iso.datetime();

export const decisionView = z.object({
  deviceId: z.string(),
  provider: z.string(),
  decision: z.enum(['pending', 'sent', 'collapsed', 'suppressed', 'failed']),
  reason: z.enum(decisionReasons),
  attempts: z.number().int(),
  providerStatus: z.string().nullable(),
  collapseKey: z.string(),
  decidedAt: time,
  sentAt: time.nullable(),
});
export type DecisionView = z.output<typeof decisionView>;

export const explanationView = z.object({
  messageId: z.uuid(),
  userId: z.uuid(),
  items: z.array(decisionView),
  verdict: z.object({ notify: z.boolean(), reason: z.enum(decisionReasons) }),
});
export type ExplanationView = z.output<typeof explanationView>;

export const toDecisionView = (row: DecisionRow): DecisionView => ({
  deviceId: row.deviceId,
  provider: row.provider,
  decision: row.decision,
  reason: row.reason,
  attempts: row.attempts,
  providerStatus: row.providerStatus,
  collapseKey: row.collapseKey,
  decidedAt: row.decidedAt.toISOString(),
  // While it is pending the column says when the last attempt began.
  sentAt: row.decision === 'sent' ? (row.sentAt?.toISOString() ?? null) : null,
});
