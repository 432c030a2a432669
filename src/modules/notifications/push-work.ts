import { z } from 'zod';
import type { WorkItem } from '../../platform/queue/delayed-work.js';
import type { DecisionKey } from './decisions.repository.js';

export const PUSH = 'notify.push';
/** Sent by one worker, a few at a time, before anybody else may think it died. */
const TOGETHER = 48;

/** Ledger rows to send. */
export const pushPayload = z.object({
  pushes: z.array(z.object({ messageId: z.uuid(), userId: z.uuid(), deviceId: z.string() })).max(TOGETHER),
});

/** Work for what is to be sent: pieces of what is due in the same second. */
export function pushWork(due: readonly (DecisionKey & { delayMs: number | null })[]): WorkItem[] {
  const times = Map.groupBy(
    due.filter(({ delayMs }) => delayMs !== null),
    ({ delayMs }) => Math.ceil((delayMs ?? 0) / 1000),
  );
  return [...times].flatMap(([seconds, rows]) =>
    Array.from({ length: Math.ceil(rows.length / TOGETHER) }, (_, i): WorkItem => {
      const pushes = rows
        .slice(i * TOGETHER, (i + 1) * TOGETHER)
        .map(({ messageId, userId, deviceId }) => ({ messageId, userId, deviceId }));
      return { queue: PUSH, key: pushes[0]?.messageId ?? '', payload: { pushes }, delayMs: seconds * 1000 };
    }),
  );
}
