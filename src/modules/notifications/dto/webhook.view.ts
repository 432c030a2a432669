import { z } from 'zod';
import type { DeliveryRow, EndpointRow } from '../webhooks.repository.js';

const id = z.uuid();
const time = z.iso.datetime();

export const webhookView = z.object({
  id,
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  /** Failed attempts since the last success. */
  failures: z.number().int(),
  /** When Parley itself gave the endpoint up. */
  disabledAt: time.nullable(),
});
export type WebhookView = z.output<typeof webhookView>;

/** With the secret that signs, shown this once. */
export const newWebhookView = webhookView.extend({ secret: z.string() });
export type NewWebhookView = z.output<typeof newWebhookView>;

export const deliveryView = z.object({
  id,
  endpointId: id,
  eventId: z.string(),
  type: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.number().int(),
  nextAt: time.nullable(),
  /** HTTP status of the last attempt; null when there was no answer. */
  lastStatus: z.number().int().nullable(),
  createdAt: time,
});
export type DeliveryView = z.output<typeof deliveryView>;

export const toWebhookView = (row: EndpointRow): WebhookView => ({
  id: row.id,
  url: row.url,
  description: row.description,
  events: row.events,
  enabled: row.enabled,
  failures: row.failures,
  disabledAt: row.disabledAt?.toISOString() ?? null,
});

export const toDeliveryView = (row: DeliveryRow): DeliveryView => ({
  id: row.id,
  endpointId: row.endpointId,
  eventId: row.eventId,
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  nextAt: row.nextAt?.toISOString() ?? null,
  lastStatus: row.lastStatus,
  createdAt: row.createdAt.toISOString(),
});
