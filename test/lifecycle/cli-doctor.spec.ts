import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as secured } from 'node:tls';
import type { Finding } from '../../src/platform/database/lifecycle/doctor.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { startServer } from '../support/postgres.js';
import { root } from '../support/server-process.js';
import { poolerInstalled, startPooler } from './support/pgbouncer.js';
import { throughProxy, upstreamOf } from './support/proxy.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

/** TLS needs TCP; an address of this file's own cannot be taken. */
const ADDRESS = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`;

let world: World;
let scene: Scene;
let folder: string;
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, listen_addresses: ADDRESS });
  scene = await world.database();
  folder = await mkdtemp(join(tmpdir(), 'parley-doctor-'));
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `parley doctor` as an operator runs it: what it finds, by check, and its exit code. */
function doctor(environment: Record<string, string> = {}): Promise<{ code: number; found: Record<string, Finding> }> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: scene.url,
    DATA_DIR: folder,
    APP_SECRET: 'doctor-secret-doctor-secret-doctor-secret',
    ...environment,
  };
  const args = [join(root, 'dist/cli.js'), 'doctor', '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, cwd: root }, (error, stdout, stderr) => {
      if (!stdout) return reject(new Error(stderr));
      const findings = JSON.parse(stdout) as Finding[];
      resolve({ code: Number(error?.code ?? 0), found: Object.fromEntries(findings.map((f) => [f.check, f])) });
    });
  });
}

it('a clock that is an hour wrong', async () => {
  const ahead = `data:text/javascript,const now = Date.now; Date.now = () => now() + 3600000`;
  const { code, found } = await doctor({ NODE_OPTIONS: `--import="${ahead}"` });
  expect(code).toBe(0);
  expect(found['clock']).toMatchObject({ result: 'warning', next: expect.stringContaining('time service') });
  expect(found['clock']?.message).toMatch(/ahead of the server/);
});

it('an embedded server that an earlier start has left', async () => {
  expect((await doctor()).found['embedded']).toBeUndefined();
  const left = await startServer();
  const { found } = await doctor({ EMBEDDED_PG_DIR: left.dir });
  expect(found['embedded']).toMatchObject({
    result: 'warning',
    next: expect.stringContaining(`kill -INT ${await left.pid()}`),
  });
  await left.stop();
});

describe('TLS', () => {
  const authority = new Authority();
  let data: string;
  let port: number;
  let trusted: string;

  beforeAll(async () => {
    data = join(world.server.dir, 'data');
    trusted = join(folder, 'ca.pem');
    await writeFile(trusted, authority.cert);
    const upstream = upstreamOf(scene.url);
    port = Number('path' in upstream ? /\d+$/.exec(upstream.path)?.[0] : upstream.port);
    const hba = join(data, 'pg_hba.conf');
    await writeFile(hba, `${await readFile(hba, 'utf8')}\nhost all all ${ADDRESS}/32 scram-sha-256\n`);
    await world.sql('SELECT pg_reload_conf()');
  });

  const through = (parameters = '') => {
    const { username, password, pathname } = new URL(scene.url);
    return doctor({ DATABASE_URL: `postgresql://${username}:${password}@${ADDRESS}:${port}${pathname}${parameters}` });
  };
  const verified = () => through(`?sslmode=verify-full&sslrootcert=${trusted}`);

  /** What the server shows to whoever asks for TLS now; undefined when it has none. */
  async function shown(): Promise<string | undefined> {
    const socket = connectTo({ host: ADDRESS, port });
    socket.on('error', () => undefined);
    try {
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (answer.toString() !== 'S') return undefined;
      const tls = secured({ socket, rejectUnauthorized: false });
      await once(tls, 'secureConnect');
      return tls.getPeerX509Certificate()?.fingerprint256;
    } finally {
      socket.destroy();
    }
  }

  async function serve({ cert, key }: Certificate): Promise<void> {
    const { uid, gid } = await stat(data);
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      await writeFile(join(data, name), text, { mode: 0o600 });
      await chown(join(data, name), uid, gid);
    }
    await world.sql('ALTER SYSTEM SET ssl = on');
    await world.sql('SELECT pg_reload_conf()');
    while ((await shown()) !== new X509Certificate(cert).fingerprint256) await delay(50);
  }

  const failed = (next: RegExp) => ({
    code: 3,
    found: {
      connection: {
        result: 'failed',
        message: expect.stringMatching(/^tls: /),
        next: expect.stringMatching(next),
      },
    },
  });

  it('is demanded of a server that has none', async () => {
    expect(await through('?sslmode=require')).toMatchObject(failed(/demands TLS .* has none.*ssl = on/));
  });

  it('is offered: what connects with it says so, verified or not', async () => {
    await serve(authority.issue(ADDRESS));
    const encrypted = { code: 0, found: { connection: { result: 'ok' }, tls: { message: 'encrypted' } } };
    expect(await through('?sslmode=require')).toMatchObject(encrypted);
    expect(await verified()).toMatchObject(encrypted);
    expect((await through()).found['tls']?.message).toMatch(/^not encrypted/);
  });

  it('is signed by an authority nobody here knows', async () => {
    const next = failed(/trusts.*sslrootcert=/);
    expect(await through('?sslmode=verify-full')).toMatchObject(next);
    await writeFile(join(folder, 'other.pem'), new Authority('Another').cert);
    expect(await through(`?sslmode=verify-full&sslrootcert=${join(folder, 'other.pem')}`)).toMatchObject(next);
  });

  it('is for another host, or has run out', async () => {
    await serve(authority.issue('db.example.com'));
    expect(await verified()).toMatchObject(failed(/another name/));
    await serve(authority.issue(ADDRESS, -3_600_000));
    expect(await verified()).toMatchObject(failed(/not valid today.*Renew/));
  });

  it('is demanded by the server', async () => {
    const hba = join(data, 'pg_hba.conf');
    await writeFile(hba, (await readFile(hba, 'utf8')).replaceAll(/^host\b/gm, 'hostssl'));
    await world.sql('SELECT pg_reload_conf()');
    expect(await through()).toMatchObject(failed(/TLS only: add sslmode=require/));
    expect(await through('?sslmode=require')).toMatchObject({ code: 0, found: { tls: { message: 'encrypted' } } });
  });
});

if (!poolerInstalled()) {
  it('PgBouncer is not installed here: its case runs where it is', () => {
    expect(poolerInstalled()).toBe(false);
  });
} else {
  it('a transaction pooler', async () => {
    const pooler = await startPooler(scene.url, 'transaction');
    const { code, found } = await doctor({ DATABASE_URL: throughProxy(scene.url, pooler) });
    expect(code).toBe(0);
    expect(found['pooler']).toMatchObject({ result: 'warning', next: expect.stringContaining('DATABASE_DIRECT_URL') });
    await pooler.stop();
  });
}

// Last: the server is one for good.
it('a standby', async () => {
  await world.server.kill('SIGINT');
  await writeFile(join(world.server.dir, 'data', 'standby.signal'), '');
  await world.server.start();
  const { code, found } = await doctor();
  expect(code).toBe(3);
  expect(found['standby']).toMatchObject({ result: 'failed', next: expect.stringContaining('primary') });
});
