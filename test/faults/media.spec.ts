import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { jpeg } from '../integration/media/pictures.js';
import {
  announce,
  bytesOf,
  complete,
  download,
  nothingLeftOver,
  sendBytes,
  untilSettled,
} from '../integration/media/support.js';
import { DiskStorage } from '../../src/platform/storage/disk-storage.driver.js';
import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { HttpClient } from '../support/http-client.js';
import { type Person, register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

/** A scanner that answers when it is told to. */
class Scanner {
  /** Answers that are owed. */
  readonly owed: (() => void)[] = [];
  holding = false;
  private constructor(private readonly server: Server) {}
  static async start(): Promise<Scanner> {
    const server = createServer();
    const scanner = new Scanner(server);
    server.on('request', (request, response) => {
      const answer = () => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"clean":true}');
      request.resume().once('end', () => (scanner.holding ? scanner.owed.push(answer) : answer()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return scanner;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/scan`;
  }
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let database: TestDatabase;
let folder: string;
let scanner: Scanner;
let server: ServerProcess;
let registered: Person;
/** The same person at whichever process is running. */
let ada: Person;
const holders = new Set<Client>();

async function start(): Promise<void> {
  server = await startServerProcess({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    LOG_LEVEL: 'warn',
    MEDIA_DIR: folder,
    MEDIA_SCAN_URL: scanner.url,
  });
  registered ??= await register(server.url, 'Ada');
  const { id, deviceId, sessionId, accessToken, refreshToken, identifier, password } = registered;
  const more = { id, deviceId, sessionId, accessToken, refreshToken, identifier, password };
  ada = Object.assign(new HttpClient(server.url, accessToken), more);
}

/** SIGKILL, and another process in its place. */
async function killAndStart(): Promise<void> {
  await server.stop('SIGKILL');
  for (const holder of holders) await holder.end();
  holders.clear();
  scanner.holding = false;
  scanner.owed.length = 0;
  // A claim is given up after five minutes; nobody waits for that here.
  await query(
    `UPDATE media_objects SET uploaded_at = uploaded_at - interval '6 minutes' WHERE state = 'processing'`,
    [],
    database.url,
  );
  await start();
}

beforeAll(async () => {
  [database, scanner] = [await cloneDatabase(), await Scanner.start()];
  folder = await mkdtemp(join(tmpdir(), 'parley-media-faults-'));
  await start();
});
afterAll(async () => {
  await server.stop('SIGKILL');
  for (const holder of holders) await holder.end();
  await scanner.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function until(test: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 30 s: ${what}`);
}

/** Locks the row of a file, so that whoever wants to change it waits. */
async function hold(id: string): Promise<void> {
  const holder = new Client({ connectionString: database.url });
  holders.add(holder);
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM media_objects WHERE id = $1 FOR UPDATE', [id]);
}
const someoneWaits = () =>
  until(async () => {
    const rows = await query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
         AND query LIKE '%media_objects%'`,
      [],
      database.url,
    );
    return rows.length > 0;
  }, 'a statement waits for the row');

async function announcedPicture(): Promise<{ mediaId: string; picture: Buffer; send: () => Promise<Response> }> {
  const picture = await jpeg();
  const { body } = await announce(ada, picture, { mime: 'image/jpeg' });
  return { mediaId: body.mediaId, picture, send: () => sendBytes(ada, body, picture) };
}

async function isWhole(mediaId: string): Promise<void> {
  const media = await untilSettled(ada, mediaId);
  expect(media).toMatchObject({ state: 'ready', width: 1600, height: 800, variants: ['medium', 'thumb'] });
  for (const variant of ['original', 'medium', 'thumb'])
    expect((await bytesOf(await download(ada, mediaId, { variant }))).length).toBeGreaterThan(100);
  await nothingLeftOver(new DiskStorage(folder), mediaId, database.url);
}

describe('killed with SIGKILL', () => {
  it('while bytes come in: they are sent again by the same link', async () => {
    const { body } = await announce(ada, Buffer.alloc(1_000_000), { mime: 'application/octet-stream' });
    const { pathname, search } = new URL(body.url, server.url);
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`);
    socket.write(Buffer.alloc(500_000));
    await until(async () => (await readdir(join(folder, '.incoming')).catch(() => [])).length > 0, 'half a file');
    await killAndStart();
    socket.destroy();
    expect((await complete(ada, body.mediaId)).body).toMatchObject({ code: 'upload_missing' });
    // The next process listens elsewhere; behind a load balancer it would not.
    const again = { ...body, url: pathname + search };
    expect((await sendBytes(ada, again, Buffer.alloc(1_000_000))).status).toBe(204);
    await complete(ada, body.mediaId);
    expect((await untilSettled(ada, body.mediaId)).state).toBe('ready');
  });

  it('between upload and completion: completion finds the bytes', async () => {
    const { mediaId, send } = await announcedPicture();
    expect((await send()).status).toBe(204);
    await killAndStart();
    expect((await complete(ada, mediaId)).status).toBe(200);
    await isWhole(mediaId);
  });

  it('within completion, with the bytes copied: completed again, and the copy is gone', async () => {
    const { mediaId, send } = await announcedPicture();
    await send();
    await hold(mediaId);
    const lost = complete(ada, mediaId).catch(() => undefined);
    await someoneWaits();
    await killAndStart();
    await lost;
    expect((await ada.get(`/api/v1/media/${mediaId}`)).body).toMatchObject({ state: 'pending' });
    expect((await complete(ada, mediaId)).status).toBe(200);
    await isWhole(mediaId);
  });

  it('while the scanner looks: another process takes the file up', async () => {
    const { mediaId, send } = await announcedPicture();
    scanner.holding = true;
    await send();
    expect((await complete(ada, mediaId)).status).toBe(200);
    await until(() => scanner.owed.length > 0, 'the scanner is asked');
    await killAndStart();
    await isWhole(mediaId);
  });

  it('with the renditions made and nobody told: they are made again, and the first ones are gone', async () => {
    const { mediaId, send } = await announcedPicture();
    scanner.holding = true;
    await send();
    await complete(ada, mediaId);
    await until(() => scanner.owed.length > 0, 'the scanner is asked');
    await hold(mediaId);
    scanner.owed.shift()?.();
    await someoneWaits();
    await killAndStart();
    await isWhole(mediaId);
  });

  it('twice at the same file: it is rejected, since it may be what kills, and others go on', async () => {
    const { mediaId, send } = await announcedPicture();
    await send();
    scanner.holding = true;
    await complete(ada, mediaId);
    await until(() => scanner.owed.length > 0, 'the scanner is asked');
    await server.stop('SIGKILL');
    const age = () =>
      query(
        `UPDATE media_objects SET uploaded_at = uploaded_at - interval '6 minutes' WHERE state = 'processing'`,
        [],
        database.url,
      );
    await age();
    scanner.owed.length = 0;
    await start();
    await until(() => scanner.owed.length > 0, 'the scanner is asked again');
    await killAndStart();
    expect((await untilSettled(ada, mediaId)).state).toBe('rejected');
    const next = await announcedPicture();
    await next.send();
    await complete(ada, next.mediaId);
    await isWhole(next.mediaId);
  });
});
