import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, register } from '../../support/people.js';
import { type ExpoStage, expoStage } from './stages/expo.stage.js';

let app: TestApp;
let expo: ExpoStage;
let ada: Person;
beforeAll(async () => {
  expo = await expoStage();
  app = await createTestApp({ EXPO_ACCESS_TOKEN: 'expo-access-token', EXPO_URL: expo.url, QUEUE_DRIVER: 'outbox' });
});
afterAll(async () => {
  await app.close();
  await expo.close();
});
beforeEach(async () => {
  ada = await register(app.url, 'Ada');
});

const put = (token: string) =>
  ada.put('/api/v1/devices/phone', { provider: 'expo', token: `ExponentPushToken[${token}]`, platform: 'ios' });
const devices = async () => (await ada.get<{ items: { deviceId: string }[] }>('/api/v1/devices')).body.items;
const until = async (test: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 400; i++) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('not within 20 s');
};
/** Sends a visible test; answers its ticket. */
const ring = async (): Promise<string> => {
  const before = expo.tickets.length;
  expect((await ada.post('/api/v1/devices/phone/test')).status).toBe(202);
  await until(() => Promise.resolve(expo.tickets.length > before));
  return expo.tickets.at(-1) ?? '';
};
const askNow = async () => {
  const waiting = () =>
    query<{ id: string }>(`SELECT id FROM outbox WHERE topic = 'work.push.receipt'`, [], app.databaseUrl);
  await until(async () => (await waiting()).length > 0);
  await query(`UPDATE outbox SET next_at = now() WHERE topic = 'work.push.receipt'`, [], app.databaseUrl);
  await until(async () => (await waiting()).length === 0);
};
const dead = { status: 'error' as const, message: 'gone', details: { error: 'DeviceNotRegistered' } };

it('lists the provider', async () => {
  const { body } = await ada.get<{ providers: string[] }>('/api/v1/push/config');
  expect(body.providers).toEqual(['webpush', 'expo']);
});

it('a token that only the receipt calls dead is removed', async () => {
  await put('one');
  expo.receipts.set(await ring(), dead);
  expect(await devices()).toHaveLength(1);
  await askNow();
  expect(await devices()).toEqual([]);
});

it('a receipt speaks of the token it was given for, not of a newer one', async () => {
  await put('two');
  expo.receipts.set(await ring(), dead);
  await put('three');
  await askNow();
  expect(await devices()).toHaveLength(1);
});

it('the queue knows no token', async () => {
  await put('four');
  await ring();
  await until(
    async () => (await query(`SELECT 1 FROM outbox WHERE topic = 'work.push.receipt'`, [], app.databaseUrl)).length > 0,
  );
  const rows = await query('SELECT payload FROM outbox', [], app.databaseUrl);
  expect(JSON.stringify(rows)).not.toContain('ExponentPushToken');
});
