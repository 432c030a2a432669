import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { direct, send } from '../integration/messages/support.js';
import { FakeProvider, SECRET } from '../integration/notifications/fake-provider.js';
import { about, decided, giveDevice, pushesTo } from '../integration/notifications/support.js';
import { eventually } from '../integration/queue/support.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { query } from '../support/database.js';
import { type Person, register } from '../support/people.js';
import { type SqsFault, TestSqs } from '../support/sqs.js';

let sqs: TestSqs;
let provider: FakeProvider;
let app: TestApp;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  [sqs, provider] = await Promise.all([TestSqs.start({ maxReceives: 3 }), FakeProvider.start()]);
  app = await createTestApp({
    ...sqs.environment,
    PUSH_WEBHOOK_URL: `${provider.url}/push`,
    PUSH_WEBHOOK_SECRET: SECRET,
  });
});
afterAll(async () => {
  await app.close();
  await provider.close();
  await sqs.stop();
});
beforeEach(async () => {
  provider.received.length = 0;
  [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
  await giveDevice(bob);
});
afterEach(() => sqs.set('none'));

const ready = async (): Promise<{ status: number; body: { status: string; checks: Record<string, string> } }> => {
  const response = await fetch(`${app.url}/ready`);
  return { status: response.status, body: (await response.json()) as never };
};
const outbox = async (): Promise<number> =>
  Number((await query<{ n: string }>('SELECT count(*) AS n FROM outbox', [], app.databaseUrl))[0]?.n);

/** F30, F33: what the queue does is of no concern to those who talk. */
it('while the queue is down, slow or refuses, messages are sent; then the backlog drains, once each', async () => {
  const faults: SqsFault[] = ['down', 'slow', 'denied'];
  const sent: { friend: Person; id: string }[] = [];
  for (const fault of faults) {
    const friend = await register(app.url);
    await giveDevice(friend);
    const c = await direct(ada, friend);
    sqs.set(fault);
    sent.push({ friend, id: (await send(ada, c, 'unaffected')).id });
    await eventually(outbox, (n) => n >= sent.length);
  }
  const answer = await eventually(ready, ({ body }) => body.status !== 'ok');
  expect(answer).toMatchObject({ status: 200, body: { status: 'degraded' } });
  expect(provider.received).toEqual([]);

  sqs.set('none');
  for (const { friend, id } of sent) {
    await pushesTo(provider, friend, 1);
    expect((await decided(friend, id)).items).toMatchObject([{ decision: 'sent', attempts: 1 }]);
    expect(provider.received.filter(about(friend))).toHaveLength(1);
  }
  await eventually(outbox, (n) => n === 0);
  await eventually(ready, ({ body }) => body.status === 'ok');
});

/** F31. */
it.each(['twice', 'reversed'] satisfies SqsFault[])('what comes %s rings once', async (fault) => {
  sqs.set(fault);
  const c = await direct(ada, bob);
  const message = await send(ada, c, 'once');
  await pushesTo(provider, bob, 1);
  const { items } = await decided(bob, message.id);
  expect(items).toMatchObject([{ decision: 'sent', attempts: 1 }]);
  // Everything that was sent has been received.
  await eventually(queued, (n) => n === 0);
  expect(provider.received.filter(about(bob))).toHaveLength(1);
});

const queued = async (): Promise<number> => {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const { Attributes = {} } = await sqs.client.send(
    new GetQueueAttributesCommand({ QueueUrl: sqs.url, AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  );
};

/** F32. */
it('poison ends in the dead letters and holds up nobody', async () => {
  const bodies = ['not JSON', '{"id":"x","queue":"notify.nothing","key":"k","payload":{}}'];
  for (const MessageBody of bodies) await sqs.client.send(new SendMessageCommand({ QueueUrl: sqs.url, MessageBody }));
  // Received too often by workers that died: SQS moves it by itself.
  await sqs.client.send(
    new SendMessageCommand({
      QueueUrl: sqs.deadUrl,
      MessageBody: '{"id":"y","queue":"notify.push","key":"lost","payload":{"pushes":[]}}',
    }),
  );
  const message = await send(ada, await direct(ada, bob), 'behind it');
  await pushesTo(provider, bob, 1);
  await decided(bob, message.id);
  const letters = () =>
    query<{ queue: string; reason: string; attempts: number; payload: { key?: string } }>(
      'SELECT queue, reason, attempts, payload FROM dead_letters ORDER BY queue',
      [],
      app.databaseUrl,
    );
  expect(await eventually(letters, ({ length }) => length === 3)).toEqual([
    expect.objectContaining({ queue: 'notify.nothing', attempts: 3, reason: 'Error: nobody works on notify.nothing' }),
    expect.objectContaining({ queue: 'notify.push', payload: { key: 'lost', payload: { pushes: [] } } }),
    expect.objectContaining({ queue: 'sqs', attempts: 3, reason: 'Error: not a message of ours' }),
  ]);
  expect(await eventually(queued, (n) => n === 0)).toBe(0);
});
