import { z } from 'zod';
import { line } from '../../../platform/http/text.js';
import { webhookTypes } from './webhook-event.view.js';

const url = z.url({ protocol: /^https?$/ }).max(2000);
const events = z
  .array(z.enum(webhookTypes))
  .min(1)
  .transform((types) => [...new Set(types)]);
const description = line(0, 200);

export const createWebhook = z.strictObject({
  url,
  events,
  enabled: z.boolean().default(true),
  description: description.optional(),
});
export type CreateWebhook = z.output<typeof createWebhook>;

export const updateWebhook = z.strictObject({
  url: url.optional(),
  events: events.optional(),
  enabled: z.boolean().optional(),
  description: description.optional(),
});
export type UpdateWebhook = z.output<typeof updateWebhook>;
