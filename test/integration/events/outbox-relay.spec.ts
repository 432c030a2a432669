import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { register } from '../../support/people.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { EventHandlers } from '../../../src/platform/events/event-handlers.js';
import { OutboxRelay } from '../../../src/platform/events/outbox-relay.js';

/** A relay whose background loop does not run, so that each pass is the test's own. */
async function quietApp(): Promise<
  TestApp & { relay: OutboxRelay; handlers: EventHandlers; database: DatabaseService }
> {
  const parley = await createTestApp({ ROLE: 'api' });
  const { nest } = parley.app;
  return Object.assign(parley, {
    relay: nest.get(OutboxRelay),
    handlers: nest.get(EventHandlers),
    database: nest.get(DatabaseService),
  });
}

/** Listens to a topic of its own, as a decorated method would. */
function listen(handlers: EventHandlers, topic: string, handle: (id: string) => Promise<void> | void): void {
  const table = (handlers as unknown as { durable: Map<string, unknown[]> }).durable;
  table.set(topic, [{ name: 'test', handle: (event: { key: string }) => handle(event.key) }]);
}

describe('outbox relay', () => {
  let parley: Awaited<ReturnType<typeof quietApp>>;
  beforeAll(async () => {
    parley = await quietApp();
  });
  afterAll(() => parley.close());

  const append = (topic: string, key: string) =>
    query(`SELECT outbox_append($1, $2::text, '{}')`, [topic, key], parley.databaseUrl);
  const waiting = (topic: string) =>
    query<{ key: string; attempts: number }>(
      'SELECT key, attempts FROM outbox WHERE topic = $1 ORDER BY id',
      [topic],
      parley.databaseUrl,
    );
  const due = (topic: string) =>
    query('UPDATE outbox SET next_at = now() WHERE topic = $1', [topic], parley.databaseUrl);

  it('hands a row over once and forgets it; what nobody wants it forgets too', async () => {
    const seen: string[] = [];
    listen(parley.handlers, 'test.once', (key) => void seen.push(key));
    await append('test.once', 'a');
    await append('test.nobody', 'b');
    await parley.relay.pass();
    await parley.relay.pass();
    expect(seen).toEqual(['a']);
    expect([...(await waiting('test.once')), ...(await waiting('test.nobody'))]).toEqual([]);
  });

  it('tries again what failed, lets the others pass, and gives up after ten tries into the dead letters', async () => {
    const seen: string[] = [];
    listen(parley.handlers, 'test.poison', (key) => {
      if (key === 'bad') throw new Error('poisoned');
      seen.push(key);
    });
    await append('test.poison', 'bad');
    await append('test.poison', 'good');
    for (let attempt = 1; attempt <= 10; attempt++) {
      await parley.relay.pass();
      if (attempt < 10) expect(await waiting('test.poison')).toEqual([{ key: 'bad', attempts: attempt }]);
      await due('test.poison');
    }
    expect(seen).toEqual(['good']);
    expect(await waiting('test.poison')).toEqual([]);
    expect(await query('SELECT topic, attempts, reason FROM dead_letters', [], parley.databaseUrl)).toEqual([
      { topic: 'test.poison', attempts: 10, reason: 'Error: poisoned' },
    ]);
  });

  it('never hands one row to two relays', async () => {
    const second = await createTestApp({ ROLE: 'api' }, { databaseUrl: parley.databaseUrl });
    try {
      const seen: string[] = [];
      listen(parley.handlers, 'test.shared', (key) => void seen.push(key));
      listen(second.app.nest.get(EventHandlers), 'test.shared', (key) => void seen.push(key));
      const keys = Array.from({ length: 500 }, (_, i) => String(i));
      await query(`SELECT outbox_append('test.shared', k, '{}') FROM unnest($1::text[]) k`, [keys], parley.databaseUrl);
      const relays = [parley.relay, second.app.nest.get(OutboxRelay)];
      await Promise.all(relays.flatMap((relay) => [relay.pass(), relay.pass(), relay.pass()]));
      expect(seen.length).toBe(new Set(seen).size);
      while (await Promise.all(relays.map((relay) => relay.pass())).then((more) => more.some(Boolean)));
      expect(seen.map(Number).toSorted((a, b) => a - b)).toEqual(keys.map(Number));
    } finally {
      await second.close();
    }
  });

  it('a row whose relay died comes back when its claim runs out', async () => {
    const seen: string[] = [];
    listen(parley.handlers, 'test.claimed', (key) => void seen.push(key));
    await append('test.claimed', 'a');
    await query(
      `UPDATE outbox SET attempts = 1, next_at = now() + interval '30 s' WHERE topic = 'test.claimed'`,
      [],
      parley.databaseUrl,
    );
    await parley.relay.pass();
    expect(seen).toEqual([]);
    await due('test.claimed');
    await parley.relay.pass();
    expect(seen).toEqual(['a']);
  });
});

describe('outbox relay of a running application', () => {
  it('makes a message findable without being asked', async () => {
    const parley = await createTestApp();
    try {
      const [ada, ben] = [await register(parley.url, 'Ada'), await register(parley.url, 'Ben')];
      const { body } = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] });
      await ada.post(`/api/v1/conversations/${body.id}/messages`, {
        clientId: randomUUID(),
        body: 'xylophone lessons',
      });
      let found = 0;
      for (let i = 0; found === 0 && i < 200; i++) {
        found = (await ben.get<{ items: unknown[] }>('/api/v1/search/messages?q=xylophone')).body.items.length;
        if (found === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(found).toBe(1);
    } finally {
      await parley.close();
    }
  });
});
