import { randomUUID } from 'node:crypto';
import { query } from '../../support/database.js';
import type { Person } from '../../support/people.js';
import { type FakeProvider, type Received, verified } from './fake-provider.js';

export interface PushData {
  messageId: string;
  conversationId: string;
  seq: number;
  userId: string;
  deviceId: string;
  token: string;
  title: string | null;
  body: string | null;
  badge: number | null;
  collapseKey: string;
}

/** Gives somebody a device at the webhook provider; answers its token. */
export async function giveDevice(person: Person, deviceId = 'phone'): Promise<string> {
  const token = `token-${randomUUID()}`;
  const { status } = await person.put(`/api/v1/devices/${deviceId}`, { provider: 'webhook', token, platform: 'ios' });
  if (status !== 200) throw new Error(`PUT device answered ${status}`);
  return token;
}

export const pushes = (received: readonly Received[]) =>
  received.map((request) => verified<PushData>(request)).filter(({ type }) => type === 'push.notify');

export const about =
  (person: Person) =>
  ({ body }: Received): boolean =>
    body.includes(person.id) && body.includes('push.notify');

export const pushesTo = async (provider: FakeProvider, person: Person, count: number): Promise<PushData[]> =>
  pushes(await provider.until(count, about(person))).map(({ data }) => data);

export interface Explanation {
  items: { deviceId: string; decision: string; reason: string; attempts: number; providerStatus: string | null }[];
  verdict: { notify: boolean; reason: string };
}

export const explain = async (person: Person, messageId: string): Promise<Explanation> =>
  (await person.get<Explanation>(`/api/v1/notifications/explain?messageId=${messageId}`)).body;

/** Looks until the ledger satisfies the test: decisions are taken behind the answers. */
export async function decided(
  person: Person,
  messageId: string,
  test: (explanation: Explanation) => boolean = ({ items }) =>
    items.length > 0 && items.every(({ decision }) => decision !== 'pending'),
): Promise<Explanation> {
  for (let i = 0; i < 400; i++) {
    const explanation = await explain(person, messageId);
    if (test(explanation)) return explanation;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still ${JSON.stringify(await explain(person, messageId))}`);
}

/** Makes everything that is to be done later due now. */
export const skipDelays = (databaseUrl: string) =>
  query(`UPDATE outbox SET next_at = now() WHERE topic LIKE 'work.%' AND attempts = 0`, [], databaseUrl);
