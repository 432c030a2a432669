import { createTestApp, type TestApp } from '../../support/app.js';
import { createAdmin } from '../../support/admins.js';
import { query } from '../../support/database.js';
import { type Person, register } from '../../support/people.js';
import { createGroup, direct, send } from '../messages/support.js';
import { FakeProvider, type Received, SECRET, verified } from './fake-provider.js';
import { about, decided, explain, giveDevice, type PushData, pushesTo, skipDelays } from './support.js';

let app: TestApp;
let provider: FakeProvider;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  provider = await FakeProvider.start();
  app = await createTestApp({ PUSH_WEBHOOK_URL: `${provider.url}/push`, PUSH_WEBHOOK_SECRET: SECRET });
});
afterAll(async () => {
  await app.close();
  await provider.close();
});
beforeEach(async () => {
  provider.received.length = 0;
  provider.reply = () => ({ status: 200 });
  [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
});

const wish = async (person: Person, notifications: object) => {
  const { body } = await person.get<{ notifications: object; privacy: object }>('/api/v1/users/me/preferences');
  const changed = { ...body, notifications: { ...body.notifications, ...notifications } };
  const { status } = await person.put('/api/v1/users/me/preferences', changed, { 'if-match': '*' });
  if (status !== 200) throw new Error(`preferences answered ${status}`);
};
const refusedBy = async (person: Person, messageId: string) => {
  const { items, verdict } = await decided(person, messageId);
  expect(items.map(({ decision }) => decision)).toEqual(items.map(() => 'suppressed'));
  expect(verdict.notify).toBe(false);
  return verdict.reason;
};

it('rings every device of the others once, and says why', async () => {
  const [token] = [await giveDevice(bob), await giveDevice(bob, 'tablet'), await giveDevice(ada)];
  const c = await direct(ada, bob);
  const message = await send(ada, c, 'Hello Bob');
  const data = await pushesTo(provider, bob, 2);
  expect(data.map(({ deviceId }) => deviceId).toSorted()).toEqual(['phone', 'tablet']);
  expect(data.find(({ deviceId }) => deviceId === 'phone')).toMatchObject({
    messageId: message.id,
    conversationId: c,
    seq: message.seq,
    userId: bob.id,
    token,
    title: 'Ada',
    body: 'Hello Bob',
    badge: 1,
  });
  const { items, verdict } = await decided(bob, message.id);
  expect(verdict).toEqual({ notify: true, reason: 'ok' });
  expect(items).toEqual([
    expect.objectContaining({ deviceId: 'phone', decision: 'sent', reason: 'ok', attempts: 1, providerStatus: '200' }),
    expect.objectContaining({ deviceId: 'tablet', decision: 'sent' }),
  ]);
  expect(provider.received.filter(about(ada))).toEqual([]);
});

it('two users may have named their devices alike', async () => {
  const cy = await register(app.url, 'Cy');
  await Promise.all([giveDevice(bob, 'same'), giveDevice(cy, 'same')]);
  const message = await send(ada, await createGroup(ada, [bob, cy]), 'Hello');
  await Promise.all([pushesTo(provider, bob, 1), pushesTo(provider, cy, 1)]);
  expect((await decided(cy, message.id)).items).toHaveLength(1);
  // Receivers drop what comes again under the same id.
  expect(new Set(provider.received.map((request) => verified(request).id)).size).toBe(2);
});

it('is silent for a reason, and names it', async () => {
  await giveDevice(bob);
  const c = await createGroup(ada, [bob]);
  const me = `/api/v1/conversations/${c}/me`;
  await bob.patch(me, { notifyLevel: 'mentions' });
  expect(await refusedBy(bob, (await send(ada, c, 'not about Bob')).id)).toBe('level');
  await bob.patch(me, { notifyLevel: 'all', mutedUntil: new Date(Date.now() + 60_000).toISOString() });
  expect(await refusedBy(bob, (await send(ada, c, 'muted')).id)).toBe('muted');
  await bob.patch(me, { mutedUntil: null });
  const quietHours = { enabled: true, start: '00:00', end: '23:59', allowMentions: true };
  await wish(bob, { quietHours });
  expect(await refusedBy(bob, (await send(ada, c, 'at night')).id)).toBe('quiet_hours');
  await wish(bob, { push: false });
  expect(await refusedBy(bob, (await send(ada, c, 'no push')).id)).toBe('level');
  await wish(bob, { push: true, preview: false });
  expect(provider.received.filter(about(bob))).toEqual([]);
  const mention = await send(ada, c, { body: 'Bob!', mentions: [bob.id] });
  const [data] = await pushesTo(provider, bob, 1);
  expect(data).toMatchObject({ messageId: mention.id, body: null });
});

it('what was blocked or sent silently rings nowhere; strangers learn nothing', async () => {
  await giveDevice(bob);
  const c = await createGroup(ada, [bob]);
  await bob.put(`/api/v1/users/me/blocks/${ada.id}`);
  expect(await refusedBy(bob, (await send(ada, c, 'blocked')).id)).toBe('blocked');
  await bob.delete(`/api/v1/users/me/blocks/${ada.id}`);
  const quiet = await send(ada, c, { body: 'pst', silent: true });
  expect((await explain(bob, quiet.id)).verdict).toEqual({ notify: false, reason: 'level' });
  const stranger = await register(app.url);
  expect((await stranger.get(`/api/v1/notifications/explain?messageId=${quiet.id}`)).status).toBe(404);
});

it('the first goes at once, further ones as one counter under the same key', async () => {
  await giveDevice(bob);
  const c = await direct(ada, bob);
  const first = await send(ada, c, 'one');
  const [alone] = await pushesTo(provider, bob, 1);
  await decided(bob, first.id);
  const second = await send(ada, c, 'two');
  await decided(bob, second.id, ({ items }) => items.length === 1);
  const [third, fourth] = [await send(ada, c, 'three'), await send(ada, c, 'four')];
  for (const { id } of [third, fourth])
    expect((await decided(bob, id)).items).toMatchObject([{ decision: 'collapsed', reason: 'collapsed' }]);
  expect((await explain(bob, second.id)).items).toMatchObject([{ decision: 'pending' }]);
  await skipDelays(app.databaseUrl);
  const [, together] = await pushesTo(provider, bob, 2);
  expect(together).toMatchObject({ body: '3 new messages', messageId: fourth.id, seq: fourth.seq, badge: 1 });
  expect(together?.collapseKey).toBe(alone?.collapseKey);
  expect((await decided(bob, second.id)).verdict).toEqual({ notify: true, reason: 'ok' });
});

it('the badge counts what its owner wants to see, without what is muted or archived', async () => {
  const [cy, quiet] = [await register(app.url, 'Cy'), await register(app.url, 'Quiet')];
  const c = await direct(ada, bob);
  await send(ada, c, 'one');
  await send(ada, c, 'two');
  const muted = await direct(quiet, bob);
  await send(quiet, muted, 'unheard');
  const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
  expect((await bob.patch(`/api/v1/conversations/${muted}/me`, { mutedUntil })).status).toBe(200);
  await giveDevice(bob);
  const other = await direct(cy, bob);
  const shown: unknown[] = [];
  for (const badge of ['messages', 'off', 'conversations']) {
    await wish(bob, { badge });
    const device = `phone-${badge}`;
    await giveDevice(bob, device);
    await send(cy, other, badge);
    await skipDelays(app.databaseUrl);
    const ofDevice = ({ body }: Received) => [device, other, 'push.notify'].every((text) => body.includes(text));
    const [request] = await provider.until(1, ofDevice);
    shown.push(request && verified<PushData>(request).data.badge);
  }
  expect(shown).toEqual([3, null, 2]);
});

it('a replay of what failed decides again: who has read it by now is left alone', async () => {
  const admin = await createAdmin(app);
  const cy = await register(app.url, 'Cy');
  for (const person of [bob, cy]) await giveDevice(person);
  provider.reply = () => ({ status: 400 });
  const since = new Date(Date.now() - 60_000).toISOString();
  const [toBob, toCy] = [await direct(ada, bob), await direct(ada, cy)];
  const [first, second] = [await send(ada, toBob, 'read by now'), await send(ada, toCy, 'still new')];
  for (const [person, { id }] of [
    [bob, first],
    [cy, second],
  ] as const)
    expect((await decided(person, id)).items).toMatchObject([{ decision: 'failed', reason: 'provider_error' }]);
  await bob.put(`/api/v1/conversations/${toBob}/receipts`, { read: first.seq });
  provider.reply = () => ({ status: 200 });
  provider.received.length = 0;
  const replay = await admin.post('/api/v1/admin/notifications/replay', { since, reason: 'provider_error' });
  expect(replay.status).toBe(202);
  const settled = (person: Person, id: string) =>
    decided(person, id, ({ items }) => items.every(({ decision }) => decision === 'sent' || decision === 'suppressed'));
  expect((await settled(cy, second.id)).items).toMatchObject([{ decision: 'sent' }]);
  expect((await settled(bob, first.id)).items).toMatchObject([{ decision: 'suppressed', reason: 'read_first' }]);
  expect(provider.received.filter(about(bob))).toEqual([]);
});

it('what was read meanwhile does not ring', async () => {
  await giveDevice(bob);
  const c = await direct(ada, bob);
  await decided(bob, (await send(ada, c, 'one')).id);
  const second = await send(ada, c, 'two');
  await decided(bob, second.id, ({ items }) => items.length === 1);
  await bob.put(`/api/v1/conversations/${c}/receipts`, { read: second.seq });
  await skipDelays(app.databaseUrl);
  expect(await refusedBy(bob, second.id)).toBe('read_first');
});

it('reading on one device clears the screens of the others, once', async () => {
  await giveDevice(bob);
  const c = await direct(ada, bob);
  const message = await send(ada, c, 'shown');
  await decided(bob, message.id);
  for (const read of [message.seq, message.seq]) await bob.put(`/api/v1/conversations/${c}/receipts`, { read });
  const [clear] = await provider.until(1, ({ body }) => body.includes('push.clear') && body.includes(bob.id));
  if (!clear) throw new Error('nothing came');
  expect(verified(clear).data).toMatchObject({ deviceId: 'phone', messageId: message.id, collapseKey: c, title: null });
});

it('a provider in trouble is asked again; the ledger counts', async () => {
  await giveDevice(bob);
  const statuses = [503, 429, 200];
  provider.reply = () => ({ status: statuses.shift() ?? 500, headers: { 'retry-after': '1' } });
  const message = await send(ada, await direct(ada, bob), 'persistent');
  const requests = await provider.until(3, about(bob));
  expect(new Set(requests.map((request) => verified(request).id)).size).toBe(1);
  expect((await decided(bob, message.id)).items).toMatchObject([
    { decision: 'sent', attempts: 3, providerStatus: '200' },
  ]);
});

it('a dead token is deleted on the provider’s word', async () => {
  await giveDevice(bob);
  provider.reply = () => ({ status: 410 });
  const message = await send(ada, await direct(ada, bob), 'to nobody');
  expect((await decided(bob, message.id)).verdict).toEqual({ notify: false, reason: 'token_dead' });
  expect((await bob.get<{ items: unknown[] }>('/api/v1/devices')).body.items).toEqual([]);
});

it('delivered twice, by relay and queue, it is one push (F31)', async () => {
  await giveDevice(bob);
  const c = await direct(ada, bob);
  const message = await send(ada, c, 'once');
  await decided(bob, message.id);
  await query(
    `INSERT INTO outbox (topic, key, payload)
     SELECT t.topic, $1, t.payload FROM generate_series(1, 5), (VALUES
       ('message.created', jsonb_build_object('id', $1::text)),
       ('work.notify.list', jsonb_build_object('messageIds', jsonb_build_array($1::text))),
       ('work.notify.decide', jsonb_build_object('messageIds', jsonb_build_array($1::text), 'after', null)),
       ('work.notify.push', jsonb_build_object('pushes', jsonb_build_array(
         jsonb_build_object('messageId', $1::text, 'userId', $2::text, 'deviceId', 'phone'))))) AS t (topic, payload)`,
    [message.id, bob.id],
    app.databaseUrl,
  );
  for (let left = 1; left > 0;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left =
      (await query<{ n: string }>('SELECT count(*) AS n FROM outbox', [], app.databaseUrl)).map(({ n }) =>
        Number(n),
      )[0] ?? 0;
  }
  expect(provider.received.filter(about(bob))).toHaveLength(1);
  expect((await explain(bob, message.id)).items).toMatchObject([{ decision: 'sent', attempts: 1 }]);
});

it('poison ends in the dead letters and holds up nobody (F32)', async () => {
  await giveDevice(bob);
  await query(
    `INSERT INTO outbox (topic, key, payload, attempts) VALUES ('work.notify.push', 'poison', '{"messageId":"no id"}', 9)`,
    [],
    app.databaseUrl,
  );
  const message = await send(ada, await direct(ada, bob), 'behind it');
  await pushesTo(provider, bob, 1);
  await decided(bob, message.id);
  const letters = await query<{ queue: string; attempts: number }>('SELECT * FROM dead_letters', [], app.databaseUrl);
  expect(letters).toMatchObject([{ queue: 'notify.push', topic: 'work.notify.push', attempts: 10 }]);
});
