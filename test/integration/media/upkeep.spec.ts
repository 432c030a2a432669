import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { Actor } from '../../../src/platform/auth/actor.js';
import { MediaService } from '../../../src/modules/media/media.service.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { png } from './pictures.js';
import {
  announce,
  complete,
  diskApp,
  download,
  type MediaApp,
  ready,
  s3App,
  sendBytes,
  untilSettled,
  upload,
} from './support.js';

const text = Buffer.from('some text');
const claim = { mime: 'text/plain' };

// What a test has opened closes even when the test fails.
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});
const freshApp = async (environment: Record<string, string> = {}): Promise<MediaApp> => {
  const parley = await diskApp(environment);
  opened.push(() => parley.close());
  return parley;
};

describe.each([
  ['disk', diskApp],
  ['S3', s3App],
])('upkeep of files on %s', (_name, start) => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    parley = await start();
    [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
  });
  afterAll(() => parley.close());

  const sweep = () => parley.app.nest.get(BackgroundWork).runJob('media.sweep');
  const age = (id: string, column: string, interval: string) =>
    query(
      `UPDATE media_objects SET ${column} = now() - $2::interval WHERE id = $1`,
      [id, interval],
      parley.databaseUrl,
    );
  const rows = (id: string) =>
    query<{ state: string; driver: string }>(
      'SELECT state, driver FROM media_objects WHERE id = $1',
      [id],
      parley.databaseUrl,
    );

  it('an upload whose completion never came is gone after a day, a younger one stays', async () => {
    const [old, young] = [(await announce(ada, text, claim)).body, (await announce(ada, text, claim)).body];
    for (const one of [old, young]) await sendBytes(ada, one, text);
    await age(old.mediaId, 'created_at', '25 hours');
    await sweep();
    expect(await rows(old.mediaId)).toEqual([]);
    expect((await complete(ada, old.mediaId)).status).toBe(404);
    expect((await complete(ada, young.mediaId)).status).toBe(200);
  });

  it('what nobody sent is gone after a day, what a message shows stays', async () => {
    const [unbound, bound] = [await ready(ada, text, claim), await ready(ada, text, claim)];
    await send(ada, await createGroup(ada, [bob]), { attachmentIds: [bound.id] });
    for (const { id } of [unbound, bound]) await age(id, 'created_at', '25 hours');
    await sweep();
    expect(await rows(unbound.id)).toEqual([]);
    expect((await download(bob, bound.id)).status).toBe(200);
  });

  it('what was deleted is out of reach at once and gone after a week; what shows it keeps its row', async () => {
    const c = await createGroup(ada, [bob]);
    const [single, shown] = [await ready(ada, text, claim), await ready(ada, text, claim)];
    const { seq } = await send(ada, c, { attachmentIds: [shown.id] });
    await ada.delete(`/api/v1/conversations/${c}/messages/${seq}`);
    for (const { id } of [single, shown]) {
      expect((await ada.delete(`/api/v1/media/${id}`)).status).toBe(204);
      expect((await ada.delete(`/api/v1/media/${id}`)).status).toBe(204);
      expect((await ada.get(`/api/v1/media/${id}`)).status).toBe(404);
      await age(id, 'deleted_at', '8 days');
    }
    await sweep();
    expect(await rows(single.id)).toEqual([]);
    expect(await rows(shown.id)).toEqual([{ state: 'deleted', driver: 'none' }]);
  });

  it('a picture is bound while it is still checked; when it is ready, those who see the message are told', async () => {
    const c = await createGroup(ada, [bob]);
    const live = await connect(bob);
    const { body } = await upload(ada, await png(), { mime: 'image/png' });
    const message = await send(ada, c, { attachmentIds: [body.id] });
    await untilSettled(ada, body.id);
    const { body: page } = await bob.get<{ items: { attachments: { state: string }[] }[] }>(
      `/api/v1/conversations/${c}/messages`,
    );
    expect(page.items.flatMap((item) => item.attachments ?? [])).toMatchObject([{ state: 'ready' }]);
    if (message.attachments[0]?.state !== 'ready')
      await live.until<{ v: { seq: number; rev: number } }>(
        'change',
        ({ v }) => v.seq === message.seq && v.rev > message.rev,
      );
    live.close();
  });

  it('a moderator takes a file away from everybody', async () => {
    const c = await createGroup(ada, [bob]);
    const media = await ready(ada, text, claim);
    const message = await send(ada, c, { attachmentIds: [media.id] });
    const live = await connect(bob);
    const service = parley.app.nest.get(MediaService, { strict: false });
    const nobody = new Actor(bob.id, bob.sessionId, bob.deviceId, new Set(), [], Infinity);
    const database = parley.app.nest.get(DatabaseService);
    const quarantine = (by: Actor, reason: string) => database.tx((tx) => service.quarantine(by, media.id, reason, tx));
    await expect(quarantine(nobody, 'no')).rejects.toMatchObject({ code: 'forbidden' });
    const { body: link } = await bob.get<{ url: string }>(`/api/v1/media/${media.id}/url`);
    await quarantine(Actor.system('test'), 'reported');
    for (const reader of [ada, bob])
      expect((await reader.get(`/api/v1/media/${media.id}/content`)).body).toMatchObject({ code: 'invalid_state' });
    // A link of Parley's own ends as well; one of a store lives on for its two minutes.
    if (link.url.startsWith(parley.url)) expect((await fetch(link.url)).status).toBe(404);
    await live.until<{ v: { seq: number; attachments: { state: string }[] } }>(
      'change',
      ({ v }) => v.seq === message.seq && v.attachments?.[0]?.state === 'quarantined',
    );
    live.close();
    await database.tx((tx) => service.remove(Actor.system('test'), media.id, 'illegal', tx));
    expect((await ada.get(`/api/v1/media/${media.id}`)).status).toBe(404);
  });

  it('avatars are images of their owner, and everybody sees them', async () => {
    const avatar = await ready(ada, await png(), { mime: 'image/png', purpose: 'avatar' });
    const other = await ready(ada, await png(), { mime: 'image/png' });
    const set = (person: Person, avatarMediaId: string) =>
      person.patch('/api/v1/users/me', { avatarMediaId }, { 'if-match': '*' });
    expect((await bob.get(`/api/v1/media/${avatar.id}`)).status).toBe(404);
    expect((await set(ada, other.id)).body).toMatchObject({ code: 'validation_failed' });
    expect((await set(bob, avatar.id)).body).toMatchObject({ code: 'validation_failed' });
    expect(await set(ada, avatar.id)).toMatchObject({ status: 200, body: { avatarMediaId: avatar.id } });
    expect((await download(bob, avatar.id, { variant: 'thumb' })).status).toBe(200);
    expect((await ada.delete(`/api/v1/media/${avatar.id}`)).body).toMatchObject({ code: 'invalid_state' });
  });
});

describe('limits of uploads', () => {
  it('count what is pending, per user and day, whatever happens at once', async () => {
    const parley = await freshApp({ MEDIA_DAILY_BYTES: '1000' });
    const [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
    const answers = await Promise.all(Array.from({ length: 10 }, () => announce(ada, Buffer.alloc(300), claim)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    for (const { status, body } of answers)
      if (status !== 201) expect(body).toMatchObject({ code: 'quota_exceeded', status: 422 });
    expect((await announce(bob, Buffer.alloc(300), claim)).status).toBe(201);
    await query(`UPDATE media_objects SET created_at = now() - interval '25 hours'`, [], parley.databaseUrl);
    expect((await announce(ada, Buffer.alloc(300), claim)).status).toBe(201);
  });

  it('are RATE_UPLOAD', async () => {
    const parley = await freshApp({ RATE_UPLOAD: '2/60', RATE_SCALE: '1' });
    const [ada] = (await registerMany(parley.url, 1)) as [Person];
    for (const status of [201, 201, 429]) expect((await announce(ada, text, claim)).status).toBe(status);
  });
});

describe('a scanner', () => {
  const listening = async (server: Server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  const eicar = Buffer.from('EICAR in words');

  it('over HTTP sees every file before anybody else does; while it is away, files wait', async () => {
    let away = true;
    const scanner = createHttpServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.writeHead(away ? 503 : 200, { 'content-type': 'application/json' });
        const clean = !Buffer.concat(parts).includes('EICAR');
        response.end(JSON.stringify(clean ? { clean } : { clean, threat: 'Test.Eicar' }));
        scanner.emit('asked');
      });
    });
    const asked = new Promise((resolve) => scanner.once('asked', resolve));
    const parley = await freshApp({ MEDIA_SCAN_URL: `http://127.0.0.1:${await listening(scanner)}/scan` });
    const [ada] = (await registerMany(parley.url, 1)) as [Person];
    const { body } = await upload(ada, text, claim);
    await asked;
    expect((await ada.get(`/api/v1/media/${body.id}/content`)).body).toMatchObject({ code: 'invalid_state' });
    away = false;
    // The next upload wakes who waits.
    const bad = (await upload(ada, eicar, claim)).body;
    expect((await untilSettled(ada, bad.id)).state).toBe('quarantined');
    expect((await untilSettled(ada, body.id)).state).toBe('ready');
  });

  it('that is done between the reading of a file and the storing of its message leaves no old state behind', async () => {
    let verdict: () => void = () => undefined;
    const scanner = createHttpServer((request, response) => {
      request.resume().once('end', () => {
        verdict = () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"clean":true}');
        scanner.emit('asked');
      });
    });
    const asked = new Promise((resolve) => scanner.once('asked', resolve));
    const parley = await freshApp({ MEDIA_SCAN_URL: `http://127.0.0.1:${await listening(scanner)}/scan` });
    const [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
    const c = await createGroup(ada, [bob]);
    const { body } = await upload(ada, text, claim);
    await asked;
    const live = await connect(bob);
    opened.push(() => live.close());
    const holder = new Client({ connectionString: parley.databaseUrl });
    await holder.connect();
    opened.push(() => holder.end());
    await holder.query('BEGIN');
    await holder.query('SELECT FROM conversation_head WHERE conversation_id = $1 FOR UPDATE', [c]);
    const sending = send(ada, c, { attachmentIds: [body.id] });
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await holder.query<{ n: string }>('SELECT count(*) AS n FROM pg_locks WHERE NOT granted');
      waiting = Number(rows[0]?.n);
    }
    verdict();
    await untilSettled(ada, body.id);
    for (let left = 1; left > 0;) {
      const { rows } = await holder.query<{ n: string }>(
        `SELECT count(*) AS n FROM outbox WHERE topic = 'media.ready'`,
      );
      left = Number(rows[0]?.n);
    }
    await holder.query('COMMIT');
    const message = await sending;
    expect(message.attachments).toMatchObject([{ state: 'processing' }]);
    await live.until<{ v: { seq: number; attachments?: { state: string }[] } }>(
      'change',
      ({ v }) => v.seq === message.seq && v.attachments?.[0]?.state === 'ready',
    );
  });
});

describe('a store that is away', () => {
  it('costs files and nothing else', async () => {
    const parley = await freshApp();
    const [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
    const c = await createGroup(ada, [bob]);
    const media = await ready(ada, text, claim);
    const { body: announced } = await announce(ada, text, claim);
    await rename(parley.folder, `${parley.folder}.away`);
    await writeFile(parley.folder, '');
    const sent = await sendBytes(ada, announced, text);
    expect(sent.status).toBe(503);
    expect(Number(sent.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await sent.json()).toMatchObject({ code: 'dependency_unavailable' });
    expect((await complete(ada, announced.mediaId)).body).toMatchObject({ code: 'dependency_unavailable' });
    expect((await send(ada, c, { attachmentIds: [media.id] })).attachments).toHaveLength(1);
    const { status, body } = await ada.get<{ status: string }>('/ready');
    expect({ status, said: body.status }).toEqual({ status: 200, said: 'degraded' });
    await rm(parley.folder);
    await rename(`${parley.folder}.away`, parley.folder);
    expect((await sendBytes(ada, announced, text)).status).toBe(204);
    expect((await complete(ada, announced.mediaId)).body).toMatchObject({ state: 'ready' });
  });
});

it('an erased account leaves no file', async () => {
  const parley = await freshApp();
  const [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
  const c = await createGroup(ada, [bob]);
  const media = await ready(ada, text, { ...claim, name: 'private.txt' });
  await send(ada, c, { attachmentIds: [media.id] });
  const { status } = await ada.send('DELETE', '/api/v1/users/me', { password: ada.password, erase: true }, {});
  expect(status).toBe(202);
  const background = parley.app.nest.get(BackgroundWork);
  // Otherwise it is due within a minute.
  await background.runJob('accounts.erase');
  for (;;) {
    const [row] = await query<{ name: string }>('SELECT name FROM media_objects', [], parley.databaseUrl);
    if (row?.name === '') break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect((await bob.get(`/api/v1/media/${media.id}/content`)).status).toBe(404);
  await background.runJob('media.sweep');
  const names = await readdir(parley.folder, { recursive: true, withFileTypes: true });
  expect(names.filter((entry) => entry.isFile())).toEqual([]);
});
