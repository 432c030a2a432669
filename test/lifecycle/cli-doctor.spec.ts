import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../src/platform/database/lifecycle/doctor.js';
import { startServer } from '../support/postgres.js';
import { root } from '../support/server-process.js';
import { poolerInstalled, startPooler } from './support/pgbouncer.js';
import { throughProxy } from './support/proxy.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let folder: string;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
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
