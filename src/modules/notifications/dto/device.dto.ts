import { z } from 'zod';
import { refuse } from '../../../platform/http/text.js';

export const pushProvider = z.enum(['webpush', 'webhook', 'expo', 'fcm', 'apns']);
export type PushProviderName = z.output<typeof pushProvider>;

export const deviceId = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/, 'Letters, digits and . _ : -');

/** What a browser's `PushSubscription.toJSON()` answers. */
export const pushSubscription = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }).max(2000),
  expirationTime: z.number().nullable().optional(),
  keys: z.strictObject({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{87,88}=?$/, 'An uncompressed P-256 point in base64url'),
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}={0,2}$/, '16 bytes in base64url'),
  }),
});
export type PushSubscriptionInput = z.output<typeof pushSubscription>;

export const putDevice = z
  .strictObject({
    provider: pushProvider,
    token: z.string().min(1).max(4096).optional(),
    subscription: pushSubscription.optional(),
    platform: z.enum(['ios', 'android', 'web', 'desktop', 'bot', 'other']),
    appVersion: z.string().max(64).optional(),
    locale: z.string().max(35).optional(),
    enabled: z.boolean().default(true),
  })
  .superRefine(({ provider, token, subscription }, context) => {
    const [given, absent] = provider === 'webpush' ? [subscription, token] : [token, subscription];
    if (given === undefined || absent !== undefined)
      refuse(context, 'token_or_subscription', 'webpush needs `subscription`, every other provider `token`');
  });
export type PutDevice = z.output<typeof putDevice>;
