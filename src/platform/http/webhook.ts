import { createHmac } from 'node:crypto';
import { epochMs, newId, now } from '../clock/clock.js';

/** What every webhook of Parley carries. */
export interface WebhookEnvelope {
  id: string;
  type: string;
  createdAt: string;
  apiVersion: 'v1';
  data: unknown;
}

export interface SignedRequest {
  body: string;
  headers: Record<string, string>;
}

export const envelopeOf = (type: string, data: unknown, id = newId()): WebhookEnvelope => ({
  id,
  type,
  createdAt: now().toISOString(),
  apiVersion: 'v1',
  data,
});

/** Body and headers of one delivery; receivers check the HMAC-SHA-256 of "timestamp.body" and refuse old timestamps. */
export function signWebhook(envelope: WebhookEnvelope, secret: string | undefined): SignedRequest {
  const body = JSON.stringify(envelope);
  const timestamp = Math.floor(epochMs() / 1000);
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'User-Agent': 'Parley',
    'Parley-Event-Id': envelope.id,
    'Parley-Timestamp': String(timestamp),
  };
  if (secret !== undefined) {
    headers['Parley-Signature'] = `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
  }
  return { body, headers };
}
