import { z } from 'zod';
import type { NotificationRow } from '../inbox.repository.js';
import { notificationKinds } from '../notifications.rules.js';

const id = z.uuid();
const time = z.iso.datetime();

export const notificationView = z.object({
  id,
  kind: z.enum(notificationKinds),
  actorId: id.nullable(),
  conversationId: id.nullable(),
  seq: z.number().int().nullable(),
  data: z.record(z.string(), z.unknown()),
  createdAt: time,
  readAt: time.nullable(),
  rev: z.number().int(),
});
export type NotificationView = z.output<typeof notificationView>;

export const unreadView = z.object({ unread: z.number().int() });

export const toNotificationView = (row: NotificationRow): NotificationView => ({
  id: row.id,
  kind: row.kind,
  actorId: row.actorId,
  conversationId: row.conversationId,
  seq: row.seq,
  data: row.data,
  createdAt: row.createdAt.toISOString(),
  readAt: row.readAt?.toISOString() ?? null,
  rev: row.rev,
});
