import type { Place } from '../conversations/conversations.service.js';
import type { Judge, Told } from './audience.service.js';
import type { DecisionKey, NewDecision, RecentPushes } from './decisions.repository.js';
import { deviceKey, type DeviceRow } from './devices.repository.js';
import { COLLAPSE_MS, deviceSuppression } from './notifications.rules.js';

/** A decision with the time until its push is due; null when there is none to send. */
export interface PlannedDecision extends NewDecision {
  delayMs: number | null;
}

/**
 * One decision per message and device of those at these places, where there is none yet. The first push of a conversation goes at once, or when the one
 * before is 20 s old; every message until then goes along with it.
 */
export function planDecisions(
  told: readonly Told[],
  places: readonly Place[],
  devices: readonly DeviceRow[],
  known: {
    judge: Judge;
    available: (provider: string) => boolean;
    recent: readonly RecentPushes[];
    /** Keys by `decisionKey`. */
    decided: ReadonlySet<string>;
  },
): PlannedDecision[] {
  const before = Map.groupBy(known.recent, deviceKey);
  const rooms = Map.groupBy(places, ({ userId }) => userId);
  const said = Map.groupBy(told, ({ message }) => message.conversationId);
  return devices.flatMap((device) => {
    const { userId, deviceId, provider, enabled } = device;
    const pushes = before.get(deviceKey(device)) ?? [];
    let recent = pushes.reduce((sum, { count }) => sum + count, 0);
    const carried = new Set(pushes.filter((push) => push.carried).map(({ conversationId }) => conversationId));
    const concerning = (rooms.get(userId) ?? []).flatMap(({ conversationId }) => said.get(conversationId) ?? []);
    return concerning.flatMap((one): PlannedDecision[] => {
      const { id: messageId, conversationId } = one.message;
      const row = { messageId, deviceId, userId, conversationId, provider, collapseKey: conversationId };
      if (one.message.senderId === userId || known.decided.has(decisionKey(row))) return [];
      const reason =
        known.judge(one, { conversationId, userId }) ??
        deviceSuppression({ enabled, reachable: known.available(provider), recent });
      if (reason !== undefined) return [{ ...row, decision: 'suppressed', reason, delayMs: null }];
      if (carried.has(conversationId)) return [{ ...row, decision: 'collapsed', reason: 'collapsed', delayMs: null }];
      carried.add(conversationId);
      recent += 1;
      const sinceMs = pushes.find((push) => push.conversationId === conversationId)?.sinceMs ?? COLLAPSE_MS;
      return [{ ...row, decision: 'pending', reason: 'ok', delayMs: Math.max(0, COLLAPSE_MS - sinceMs) }];
    });
  });
}

export const decisionKey = (key: DecisionKey): string => `${key.messageId} ${deviceKey(key)}`;
