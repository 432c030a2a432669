import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, readdir, rm, stat, watch, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { identity } from '../../src/platform/database/embedded-process.js';
import { query } from '../support/database.js';
import { runFolder } from '../support/postgres.js';
import { buildParent, Parent, postmaster } from './embedded-harness.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };
let program: string;
let folder: string;
let count = 0;
let parents: Parent[] = [];

const start = (dir: string, options?: { uid: number; gid: number }): Parent => {
  const parent = new Parent(program, dir, options);
  parents.push(parent);
  return parent;
};
const newDir = (): string => join(folder, `s${++count}`);

/** A server that has been started once, holds one row and was stopped orderly. */
async function initialised(): Promise<string> {
  const dir = newDir();
  const parent = start(dir);
  const { url } = await parent.said('ready');
  await query('CREATE TABLE kept (n int)', [], url);
  await query('INSERT INTO kept VALUES (1)', [], url);
  expect(await parent.end('SIGTERM')).toBe(0);
  return dir;
}
const kept = (url: string): Promise<{ n: number }[]> => query('SELECT n FROM kept', [], url);

beforeAll(async () => {
  folder = await runFolder();
  program = await buildParent(join(folder, 'program'));
});
afterEach(async () => {
  for (const parent of parents) await parent.end('SIGTERM');
  parents = [];
});

describe('embedded PostgreSQL', () => {
  it('starts on an empty directory: private files, SCRAM, UTF-8 with built-in locale, no network', async () => {
    const dir = newDir();
    const { url, adopted, socketDir } = await start(dir).said('ready');
    expect({ adopted, socketDir }).toEqual({ adopted: false, socketDir: dir });
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'server.json'))).mode & 0o777).toBe(0o600);
    const [row] = await query(
      `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datlocale AS locale,
              current_setting('listen_addresses') AS listens, upper('é') AS upper FROM pg_database WHERE datname = 'parley'`,
      [],
      url,
    );
    expect(row).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', listens: '', upper: 'É' });
    const wrong = url.replace(/:[0-9a-f]{64}@/, ':wrong@');
    await expect(query('SELECT 1', [], wrong)).rejects.toMatchObject({ code: '28P01' });
    expect((await readdir(dir)).filter((name) => !name.startsWith('.'))).toEqual(['data', 'server.json', 'server.log']);
  });

  it('stops its server and keeps the data over a restart', async () => {
    const dir = await initialised();
    await expect(postmaster(dir)).rejects.toThrow('ENOENT');
    const { url, adopted } = await start(dir).said('ready');
    expect(adopted).toBe(false);
    expect(await kept(url)).toEqual([{ n: 1 }]);
  });

  it('adopts the server that a killed parent left', async () => {
    const dir = await initialised();
    const parent = start(dir);
    await parent.said('ready');
    const pid = await postmaster(dir);
    await parent.end('SIGKILL');
    const { url, adopted } = await start(dir).said('ready');
    expect(adopted).toBe(true);
    expect(await postmaster(dir)).toBe(pid);
    expect(await kept(url)).toEqual([{ n: 1 }]);
  });

  it('recovers the data of a killed server', async () => {
    const dir = await initialised();
    const parent = start(dir);
    const first = await parent.said('ready');
    await query('INSERT INTO kept VALUES (2)', [], first.url);
    process.kill(await postmaster(dir), 'SIGKILL');
    await parent.end('SIGKILL');
    const { url, adopted } = await start(dir).said('ready');
    expect(adopted).toBe(false);
    expect(await kept(url)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('ignores a pid file whose pid belongs to a stranger by now', async () => {
    const dir = await initialised();
    const lines = [process.pid, join(dir, 'data'), 1, 5432, dir, '', '', 'ready', ''];
    await writeFile(join(dir, 'data', 'postmaster.pid'), lines.join('\n'));
    const { url, adopted } = await start(dir).said('ready');
    expect(adopted).toBe(false);
    expect(await kept(url)).toEqual([{ n: 1 }]);
    expect(await postmaster(dir)).not.toBe(process.pid);
  });

  it('replaces a server that no longer answers', async () => {
    const dir = await initialised();
    const parent = start(dir);
    await parent.said('ready');
    const frozen = await postmaster(dir);
    const before = identity(frozen);
    process.kill(frozen, 'SIGSTOP');
    await parent.end('SIGKILL');
    const { url, adopted } = await start(dir).said('ready');
    expect(adopted).toBe(false);
    expect(identity(frozen)).not.toBe(before);
    expect(await kept(url)).toEqual([{ n: 1 }]);
  });

  it('begins anew after a kill in the middle of initdb', async () => {
    const dir = newDir();
    await mkdir(dir);
    const watching = watch(dir);
    const parent = start(dir);
    for await (const { filename } of watching) if (/^init-\w+$/.test(filename ?? '')) break;
    await parent.end('SIGKILL');
    const { adopted } = await start(dir).said('ready');
    expect(adopted).toBe(false);
    expect((await readdir(dir)).filter((name) => name.startsWith('init-'))).toEqual([]);
  });

  it('runs one server for any number of processes that start at once, until the last one leaves', async () => {
    const dir = newDir();
    const all = [start(dir), start(dir), start(dir), start(dir)];
    const ready = await Promise.all(all.map((parent) => parent.said('ready')));
    expect(ready.filter(({ adopted }) => !adopted)).toHaveLength(1);
    const pid = await postmaster(dir);
    for (const parent of all.slice(1)) await parent.end('SIGTERM');
    expect(all.slice(1).map((parent) => parent.events().at(-1))).toEqual(Array(3).fill('embedded.left_running'));
    expect(await postmaster(dir)).toBe(pid);
    await all[0]?.end('SIGTERM');
    expect(all[0]?.events().at(-1)).toBe('embedded.stopped');
  });

  it('is not reached by Ctrl-C: the parent can still use it, then stops it', async () => {
    const dir = await initialised();
    const parent = start(dir);
    await parent.said('ready');
    expect(await parent.end('SIGINT', true)).toBe(0);
    expect(await parent.said('signal')).toMatchObject({ alive: true });
    expect(parent.events().at(-1)).toBe('embedded.stopped');
  });

  it('refuses data of another major version and leaves it untouched', async () => {
    const dir = await initialised();
    const version = join(dir, 'data', 'PG_VERSION');
    await writeFile(version, '14\n');
    const before = await snapshot(join(dir, 'data'));
    const parent = start(dir);
    const { message, hint } = await parent.said('failed');
    expect(message).toContain('belongs to PostgreSQL 14');
    expect(hint).toContain('parley backup');
    expect(await parent.exited()).toBe(22);
    expect(await snapshot(join(dir, 'data'))).toEqual(before);
  });

  it('refuses data whose password is gone', async () => {
    const dir = await initialised();
    await rm(join(dir, 'server.json'));
    const parent = start(dir);
    expect((await parent.said('failed')).hint).toContain('Put the file back');
    expect(await parent.exited()).toBe(22);
    expect(await readFile(join(dir, 'data', 'PG_VERSION'), 'utf8')).toBe('18\n');
  });

  it('takes over the lock of a dead process, also when its pid lives again', async () => {
    const dir = await initialised();
    for (const holder of [`${await deadPid()} 1`, `${process.pid} 1`]) {
      await writeFile(join(dir, 'lock'), holder);
      const parent = start(dir);
      await parent.said('ready');
      await parent.end('SIGTERM');
    }
  });

  it('uses a loopback port where the path is too long for a socket, and another one when it is taken', async () => {
    const dir = join(folder, 'x'.repeat(100));
    const first = start(dir);
    const { url, socketDir } = await first.said('ready');
    expect(socketDir).toBeUndefined();
    expect(await query(`SELECT current_setting('listen_addresses') AS listens`, [], url)).toEqual([
      { listens: '127.0.0.1' },
    ]);
    await query('CREATE TABLE kept AS SELECT 1 AS n', [], url);
    await first.end('SIGTERM');
    const { port } = new URL(url);
    const squatter = createServer((socket) => socket.destroy()).listen(Number(port), '127.0.0.1');
    await once(squatter, 'listening');
    const again = await start(dir).said('ready');
    squatter.close();
    expect((squatter.address() as AddressInfo | null) ?? port).toBe(port);
    expect(new URL(again.url).port).not.toBe(port);
    expect(await kept(again.url)).toEqual([{ n: 1 }]);
  });

  it('leaves the server to another Parley process that is connected', async () => {
    const dir = await initialised();
    const parent = start(dir);
    const { url } = await parent.said('ready');
    const other = new Client({ connectionString: url, application_name: 'parley/app' });
    await other.connect();
    await parent.end('SIGTERM');
    expect(parent.events().at(-1)).toBe('embedded.left_running');
    expect((await other.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
    await other.end();
    expect((await start(dir).said('ready')).adopted).toBe(true);
  });
});

if (isRoot) {
  describe('embedded PostgreSQL and accounts', () => {
    it('runs as an ordinary user, with files of that user', async () => {
      const home = newDir();
      await mkdir(home);
      await chown(home, NOBODY.uid, NOBODY.gid);
      const dir = join(home, 'pg');
      const { url } = await start(dir, NOBODY).said('ready');
      expect(await query('SELECT 1 AS n', [], url)).toEqual([{ n: 1 }]);
      expect((await stat(join(dir, 'data'))).uid).toBe(NOBODY.uid);
    });

    it('never runs as root, not even below a folder only root may enter', async () => {
      const closed = newDir();
      await mkdir(closed);
      await chmod(closed, 0o700);
      const dir = join(closed, 'project', 'pg');
      const parent = new Parent(await buildParent(join(closed, 'program')), dir);
      parents.push(parent);
      const { url } = await parent.said('ready');
      expect(await query('SELECT 1 AS n', [], url)).toEqual([{ n: 1 }]);
      expect((await stat(`/proc/${await postmaster(dir)}`)).uid).not.toBe(0);
      expect((await stat(closed)).mode & 0o777).toBe(0o700);
    });
  });
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** Path, size and time of change of every file. */
async function snapshot(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(root, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}
