import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { registerMany } from '../../support/people.js';
import * as presence from '../../../src/modules/presence/presence.repository.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { sql } from '../../../src/platform/database/sql.js';
import { PresenceCleanup } from '../../../src/modules/presence/presence-cleanup.service.js';

let app: TestApp;
let database: DatabaseService;
let users: string[];
beforeAll(async () => {
  app = await createTestApp();
  database = app.app.nest.get(DatabaseService);
  users = (await registerMany(app.url, 24)).map(({ id }) => id);
});
afterAll(() => app.close());
beforeEach(() => query('DELETE FROM presence_entries; DELETE FROM presence_state;', [], app.databaseUrl));

const term = sql`SELECT 1`;
const cleanUp = (given = term) => presence.cleanUp(database, { term: given, leaseSeconds: 30, staleSeconds: 300 });

async function replica(alive: boolean): Promise<string> {
  const id = randomUUID();
  await query(
    `INSERT INTO replica_lease (replica_id, host, version, expires_at)
     VALUES ($1, 'host', '0', now() + CASE WHEN $2 THEN interval '1 hour' ELSE interval '-1 hour' END)`,
    [id, alive],
    app.databaseUrl,
  );
  return id;
}

/** Users whom a replica left behind long ago. */
async function ghosts(replicaId: string, ids: readonly string[]): Promise<void> {
  await query(
    `WITH g AS (SELECT unnest($2::uuid[]) AS id), e AS (
       INSERT INTO presence_entries (user_id, replica_id, since) SELECT id, $1, now() - interval '1 hour' FROM g)
     INSERT INTO presence_state (user_id, is_online, last_seen_at, ver) SELECT id, true, now() - interval '1 hour', 1 FROM g`,
    [replicaId, ids],
    app.databaseUrl,
  );
}

/** As a replica writes that a user connected, in a transaction that stays open for a while. */
const comeBack = (replicaId: string, userId: string, holdMs: number): Promise<void> =>
  database.tx(async (tx) => {
    await presence.lockPresence(tx, [userId]);
    await presence.enter(tx, replicaId, [{ userId, activity: 'active' }]);
    await tx.execute(sql`SELECT pg_sleep(${holdMs / 1000})`);
  });

const online = async (ids: readonly string[]): Promise<string[]> =>
  (await presence.findPresence(database, ids, 30))
    .filter(({ activity }) => activity !== null)
    .map(({ userId }) => userId);
const marked = async (): Promise<string[]> =>
  (await query<{ id: string }>(`SELECT user_id AS id FROM presence_state WHERE is_online`, [], app.databaseUrl)).map(
    ({ id }) => id,
  );

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let x = seed; ; x = (x * 48_271) % 2_147_483_647) yield x / 2_147_483_647;
}

it('removes what a dead replica left and tells how much', async () => {
  const dead = await replica(false);
  await ghosts(dead, users.slice(0, 3));
  expect(await online(users)).toEqual([]);
  const { entries, users: gone } = await cleanUp();
  expect(entries).toBe(3);
  expect(gone.toSorted()).toEqual(users.slice(0, 3).toSorted());
  expect(await marked()).toEqual([]);
  expect(await cleanUp()).toEqual({ entries: 0, users: [] });
});

it('leaves users alone who are connected elsewhere, and marks nobody who was seen a moment ago', async () => {
  const [dead, alive] = [await replica(false), await replica(true)];
  const [elsewhere = '', recent = '', stale = ''] = users;
  await ghosts(dead, [elsewhere, recent, stale]);
  await comeBack(alive, elsewhere, 0);
  await query(`UPDATE presence_state SET last_seen_at = now() WHERE user_id = $1`, [recent], app.databaseUrl);
  expect(await cleanUp()).toEqual({ entries: 3, users: [stale] });
  expect(await online(users)).toEqual([elsewhere]);
  expect((await marked()).toSorted()).toEqual([elsewhere, recent].toSorted());
});

it('passes over a user whose row has gone meanwhile, and writes the others', async () => {
  const alive = await replica(true);
  const [gone = '', stays = ''] = users;
  await ghosts(alive, [gone, stays]);
  await presence.erasePresence(database, gone);
  await database.tx(async (tx) => {
    await presence.lockPresence(tx, [gone, stays]);
    await presence.leave(tx, alive, [gone, stays]);
  });
  const rows = await query<{ user_id: string; fresh: boolean }>(
    `SELECT user_id, last_seen_at > now() - interval '30 minutes' AS fresh FROM presence_state`,
    [],
    app.databaseUrl,
  );
  expect(rows).toEqual([{ user_id: stays, fresh: true }]);
});

it('writes down when a user was seen last: at the last renewal of the replica that died', async () => {
  const [user = ''] = users;
  const fresh = await replica(true);
  await ghosts(fresh, [user]);
  await query(
    `UPDATE replica_lease SET expires_at = now() - interval '1 minute' WHERE replica_id = $1`,
    [fresh],
    app.databaseUrl,
  );
  const age = async () => {
    const [row] = await presence.findPresence(database, [user], 30);
    return { activity: row?.activity, seconds: Math.round((Date.now() - (row?.lastSeenAt.getTime() ?? 0)) / 1000) };
  };
  const before = await age();
  expect(await cleanUp()).toEqual({ entries: 1, users: [] });
  const after = await age();
  for (const { activity, seconds } of [before, after]) {
    expect(activity).toBeNull();
    // An hour by what was written when the user came.
    expect(seconds).toBeGreaterThanOrEqual(90);
    expect(seconds).toBeLessThan(1800);
  }
  expect(await marked()).toEqual([user]);
});

it('does nothing for a holder who has been replaced', async () => {
  await ghosts(await replica(false), users.slice(0, 2));
  expect(await cleanUp(sql`SELECT 1 WHERE false`)).toEqual({ entries: 0, users: [] });
  expect(await marked()).toHaveLength(2);
});

it('never throws', async () => {
  const broken = sql`SELECT 1 / 0`;
  expect(await app.app.nest.get(PresenceCleanup).run({ holds: broken })).toEqual({ entries: 0, users: 0 });
});

it.each([1, 2, 3, 4, 5, 6, 7, 8])('never undoes a user who comes back meanwhile (seed %i)', async (seed) => {
  const next = numbers(seed * 7919);
  const random = (): number => next.next().value;
  const [dead, alive] = [await replica(false), await replica(true)];
  await ghosts(dead, users);
  const back = users.filter(() => random() < 0.5);
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.all([
    ...back.map(async (userId) => {
      await later(random() * 40);
      await comeBack(alive, userId, random() * 20);
      // Not only in the end: from the moment the write is acknowledged.
      expect(await online([userId])).toEqual([userId]);
    }),
    ...Array.from({ length: 6 }, async () => {
      await later(random() * 50);
      await cleanUp();
    }),
  ]);
  await cleanUp();
  expect((await online(users)).toSorted()).toEqual(back.toSorted());
  expect((await marked()).toSorted()).toEqual(back.toSorted());
});

it.each([1, 2, 3, 4, 5, 6, 7, 8])('never undoes a replica that wakes up meanwhile (seed %i)', async (seed) => {
  const next = numbers(seed * 104_729);
  const random = (): number => next.next().value;
  const asleep = await replica(false);
  await ghosts(asleep, users);
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.all([
    (async () => {
      await later(random() * 20);
      // As a replica whose lease has run out takes it anew, and then writes its users again.
      await query(
        `INSERT INTO replica_lease (replica_id, host, version, expires_at) VALUES ($1, 'host', '0', now() + interval '1 hour')
         ON CONFLICT (replica_id) DO UPDATE SET expires_at = excluded.expires_at`,
        [asleep],
        app.databaseUrl,
      );
      for (const userId of users) await comeBack(asleep, userId, random() * 3);
    })(),
    ...Array.from({ length: 6 }, async () => {
      await later(random() * 60);
      await cleanUp();
    }),
  ]);
  await cleanUp();
  expect((await online(users)).toSorted()).toEqual(users.toSorted());
});

it('nor does one that saw the world before they came back, and acts after', async () => {
  const [awake = '', ...back] = users;
  const [orphaned, alive] = [randomUUID(), await replica(true)];
  await ghosts(orphaned, users);
  // The statement has its snapshot, and waits.
  const slow = cleanUp(sql`SELECT 1 FROM pg_sleep(1)`);
  const asleep = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  while ((await query(asleep, [], app.databaseUrl)).length === 0);
  await query(
    `INSERT INTO replica_lease (replica_id, host, version, expires_at) VALUES ($1, 'host', '0', now() + interval '1 hour')`,
    [orphaned],
    app.databaseUrl,
  );
  await comeBack(orphaned, awake, 0);
  for (const userId of back) await comeBack(alive, userId, 0);
  await slow;
  expect((await online(users)).toSorted()).toEqual(users.toSorted());
});
