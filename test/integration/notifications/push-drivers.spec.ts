import type { Push, PushOutcome } from '../../../src/modules/notifications/push/push-driver.js';
import { type ApnsStage, apnsStage } from './stages/apns.stage.js';
import { type ExpoStage, expoStage } from './stages/expo.stage.js';
import { type FcmStage, fcmStage } from './stages/fcm.stage.js';
import type { Stage } from './stages/stage.js';
import { webhookStage, webPushStage } from './stages/web.stages.js';

const push = (more: Partial<Push> = {}): Push => ({
  id: 'push-1-phone',
  kind: 'notify',
  messageId: '0190a000-0000-7000-8000-000000000001',
  conversationId: '0190a000-0000-7000-8000-0000000000c1',
  seq: 7,
  userId: '0190a000-0000-7000-8000-0000000000a1',
  deviceId: 'phone',
  title: 'Ada',
  body: 'Hello',
  badge: 3,
  collapseKey: '0190a000-0000-7000-8000-0000000000c1',
  ...more,
});

describe.each<[string, () => Promise<Stage>]>([
  ['webpush', webPushStage],
  ['webhook', webhookStage],
  ['expo', expoStage],
  ['fcm', fcmStage],
  ['apns', apnsStage],
])('the driver %s', (name, start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start();
  });
  afterAll(() => stage.close());
  beforeEach(() => stage.mood('ok'));
  const send = (more: Partial<Push> = {}) => stage.driver.send(stage.token, push(more));
  const lastShown = async () => (await stage.shown()).at(-1);

  it('bears its name', () => {
    expect(stage.driver.name).toBe(name);
  });

  it('brings a push to the device, with what the app needs to find the message', async () => {
    expect(await send()).toMatchObject({ result: 'sent' });
    const shown = await lastShown();
    expect(shown).toMatchObject({ title: 'Ada', body: 'Hello', badge: 3, silent: false });
    expect(shown?.data).toMatchObject({
      id: 'push-1-phone',
      kind: 'notify',
      messageId: '0190a000-0000-7000-8000-000000000001',
      conversationId: '0190a000-0000-7000-8000-0000000000c1',
    });
    expect(String(shown?.data['seq'])).toBe('7');
  });

  it('shows neither text nor number where the reader wants none', async () => {
    expect(await send({ body: null, badge: null })).toMatchObject({ result: 'sent' });
    const shown = await lastShown();
    expect(shown?.badge).toBeNull();
    expect([null, 'New message']).toContain(shown?.body);
  });

  it('lets pushes with the same key take each other’s place, and no others', async () => {
    const long = 'x'.repeat(200);
    for (const collapseKey of ['one', 'one', 'two', long, long])
      expect(await send({ collapseKey })).toMatchObject({ result: 'sent' });
    const [first, second, third, fourth, fifth] = (await stage.shown()).slice(-5).map(({ collapse }) => collapse);
    expect(first).toEqual(expect.any(String));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(fifth).toBe(fourth);
  });

  it('clears without a sound or a text', async () => {
    expect(await send({ kind: 'clear', title: null, body: null, badge: 0 })).toMatchObject({ result: 'sent' });
    expect(await lastShown()).toMatchObject({ badge: 0, silent: true, data: { kind: 'clear' } });
  });

  it('cuts what is too long for the provider, between two characters', async () => {
    expect(await send({ body: '\u{1F600}"\\'.repeat(3000) })).toMatchObject({ result: 'sent' });
    const { body } = (await lastShown()) ?? {};
    expect(body?.isWellFormed()).toBe(true);
    expect(body?.startsWith('\u{1F600}"\\')).toBe(true);
    if (name !== 'webhook') expect(body?.endsWith('…')).toBe(true);
  });

  it('says that a token is dead when the provider does', async () => {
    stage.mood('dead');
    expect(await send()).toMatchObject({ result: 'dead', status: expect.any(String) });
  });

  it('waits as long as a busy provider asks for', async () => {
    stage.mood('busy');
    expect(await send()).toEqual({ result: 'retry', status: expect.stringContaining('429'), afterMs: 7000 });
  });

  it('tries again when the provider is broken', async () => {
    stage.mood('down');
    expect(await send()).toMatchObject({ result: 'retry', status: expect.stringContaining('503') });
  });

  it('does not try again what the provider will never take', async () => {
    stage.mood('too-large');
    expect(await send()).toMatchObject({ result: 'refused' });
  });

  it.each(['silent', 'garbage'] as const)('comes to an end with a provider that is %s, and recovers', async (mood) => {
    stage.mood(mood);
    expect(await send()).toMatchObject({ result: 'retry', status: expect.stringMatching(/./) });
    stage.mood('ok');
    expect(await send()).toMatchObject({ result: 'sent' });
  });

  it('sends many at once', async () => {
    const before = (await stage.shown()).length;
    // As the queue does: what a busy machine did not get done in time is tried again.
    const sendUntilTaken = async (id: string): Promise<PushOutcome> => {
      for (;;) {
        const outcome = await send({ id });
        if (outcome.result !== 'retry') return outcome;
      }
    };
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, i) => sendUntilTaken(`push-${i}-phone`)));
    expect(outcomes.filter(({ result }) => result === 'sent')).toHaveLength(30);
    const ids = (await stage.shown()).slice(before).map(({ data }) => data['id']);
    expect(new Set(ids).size).toBe(30);
  });
});

describe('a provider that is not there', () => {
  it.each<[string, () => Promise<Stage>]>([
    ['webpush', webPushStage],
    ['webhook', webhookStage],
    ['expo', expoStage],
    ['fcm', fcmStage],
    ['apns', apnsStage],
  ])('is tried again by %s', async (_name, start) => {
    const stage = await start();
    await stage.close();
    expect(await stage.driver.send(stage.token, push())).toMatchObject({ result: 'retry', status: 'ECONNREFUSED' });
  });
});

describe('Expo', () => {
  let stage: ExpoStage;
  beforeAll(async () => {
    stage = await expoStage();
  });
  afterAll(() => stage.close());
  beforeEach(() => stage.mood('ok'));

  it('promises a receipt, which tells later', async () => {
    const outcome = await stage.driver.send(stage.token, push());
    expect(outcome).toEqual({ result: 'sent', status: 'ok', receipt: stage.tickets.at(-1) });
    const receipt = stage.tickets.at(-1) ?? '';
    expect(await stage.driver.confirm?.(receipt)).toBeUndefined();
    stage.receipts.set(receipt, { status: 'ok' });
    expect(await stage.driver.confirm?.(receipt)).toMatchObject({ result: 'sent' });
    const failed = (error: string) => ({ status: 'error' as const, message: error, details: { error } });
    stage.receipts.set(receipt, failed('DeviceNotRegistered'));
    expect(await stage.driver.confirm?.(receipt)).toMatchObject({ result: 'dead', status: 'DeviceNotRegistered' });
    stage.receipts.set(receipt, failed('MessageRateExceeded'));
    expect(await stage.driver.confirm?.(receipt)).toMatchObject({ result: 'retry' });
    stage.mood('down');
    expect(await stage.driver.confirm?.(receipt)).toMatchObject({ result: 'retry', status: '503' });
  });

  it.each(['<html>Welcome to the hotel</html>', '{}', '{"data":[]}', '{"data":[{"status":"perhaps"}]}'])(
    'is not believed when it says %j',
    async (body) => {
      stage.reply({ status: 200, body });
      const outcome = { result: 'retry', status: 'malformed_answer' };
      expect(await stage.driver.send(stage.token, push())).toMatchObject(outcome);
      expect(await stage.driver.confirm?.('x')).toMatchObject(outcome);
    },
  );
});

describe('Firebase', () => {
  let stage: FcmStage;
  beforeEach(async () => {
    stage = await fcmStage();
  });
  afterEach(() => stage.close());
  const send = () => stage.driver.send(stage.token, push());

  it('is signed in to once for all', async () => {
    await Promise.all(Array.from({ length: 20 }, send));
    expect(stage.signIns()).toBe(1);
  });

  it('is signed in to anew when the token has ended, or is not taken any more', async () => {
    stage.lives(0.001);
    while (stage.signIns() < 2) expect(await send()).toMatchObject({ result: 'sent' });
    stage.lives(3600);
    // The short token may live a moment longer.
    while (stage.signIns() === 2) expect(await send()).toMatchObject({ result: 'sent' });
    stage.forget();
    expect(await send()).toMatchObject({ result: 'retry', status: '401 UNAUTHENTICATED' });
    expect(await send()).toMatchObject({ result: 'sent' });
  });

  it('refuses a stranger; nothing is lost by it', async () => {
    const outcome = await stage.impostor.send(stage.token, push());
    expect(outcome).toMatchObject({ result: 'retry', status: 'sign_in 400' });
  });

  it('may have no time for signing in', async () => {
    stage.signInSays({ status: 503, headers: { 'retry-after': '9' } });
    expect(await send()).toMatchObject({ result: 'retry', status: 'sign_in 503', afterMs: 9000 });
    stage.signInSays({ status: 200, body: 'hello' });
    expect(await send()).toMatchObject({ result: 'retry', status: 'sign_in malformed_answer' });
    stage.signInSays(undefined);
    expect(await send()).toMatchObject({ result: 'retry', status: 'TimeoutError' });
  });

  it('is not believed without the name of the message', async () => {
    stage.reply({ status: 200, body: '<html>Welcome to the hotel</html>' });
    expect(await send()).toMatchObject({ result: 'retry', status: 'malformed_answer' });
  });

  it('says that a token is none', async () => {
    const violation = { fieldViolations: [{ field: 'message.token', description: 'not a valid token' }] };
    const error = { code: 400, status: 'INVALID_ARGUMENT', details: [{ errorCode: 'INVALID_ARGUMENT' }, violation] };
    stage.reply({ status: 400, body: JSON.stringify({ error }) });
    expect(await send()).toMatchObject({ result: 'dead', status: '400 INVALID_ARGUMENT' });
  });
});

describe('Apple', () => {
  let stage: ApnsStage;
  beforeAll(async () => {
    stage = await apnsStage();
  });
  afterAll(() => stage.close());
  beforeEach(() => stage.mood('ok'));
  const send = () => stage.driver.send(stage.token, push());

  it('is spoken to on one connection, and on another after it said good-bye', async () => {
    await Promise.all(Array.from({ length: 20 }, send));
    expect(stage.connections()).toBe(1);
    stage.goAway();
    // What meets the end of a connection may fail; it is tried again.
    for (let result = ''; result !== 'sent';) ({ result } = await send());
    expect(stage.connections()).toBe(2);
  });

  it('is believed by its certificate alone', async () => {
    const outcome = await stage.suspicious.send(stage.token, push());
    expect(outcome).toMatchObject({ result: 'retry', status: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/) });
  });

  it('refuses a stranger; nothing is lost by it', async () => {
    const outcome = await stage.impostor.send(stage.token, push());
    expect(outcome).toMatchObject({ result: 'retry', status: '403 InvalidProviderToken' });
  });

  it.each([
    [400, 'BadDeviceToken', 'dead'],
    [410, 'ExpiredToken', 'dead'],
    [400, 'DeviceTokenNotForTopic', 'refused'],
    [400, 'TopicDisallowed', 'refused'],
    [500, 'InternalServerError', 'retry'],
  ])('says %i %s: %s', async (status, reason, result) => {
    stage.refuse(status, reason);
    expect(await send()).toMatchObject({ result, status: `${status} ${reason}` });
  });

  it.each(['../../etc', 'a?b', 'a b', ''])('never sees the token %j: it would be a path', async (token) => {
    expect(await stage.driver.send(token, push())).toMatchObject({ result: 'dead' });
  });
});
