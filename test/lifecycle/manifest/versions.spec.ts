import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildManifest } from '../../../src/platform/database/lifecycle/manifest-build.js';
import { parseManifest } from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations, parseMigration } from '../../../src/platform/database/lifecycle/migration-files.js';
import { runLifecycle } from '../../../src/platform/database/lifecycle/run-lifecycle.js';
import { serverUrl } from '../../support/database.js';
import { connect, register } from '../../support/people.js';
import { startServerProcess, type ServerProcess } from '../../support/server-process.js';
import { SAMPLE } from './sample-schema.js';

const run = promisify(execFile);
const migrationsDir = join(import.meta.dirname, '../../../prisma/migrations');
/** Where Debian's packages put older servers. */
const others = ['14', '15', '16', '17']
  .map((version) => `/usr/lib/postgresql/${version}/bin`)
  .filter((bin) => existsSync(bin));

const idOf = async (which: '-u' | '-g'): Promise<number> => Number((await run('id', [which, 'nobody'])).stdout);

interface Server {
  url: string;
  stop(): Promise<void>;
}

/** A throwaway server of another version, reached by its socket alone. Root lends it to `nobody`. */
async function startServer(bin: string): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-pg-'));
  const as = { cwd: '/', ...(process.getuid?.() === 0 ? { uid: await idOf('-u'), gid: await idOf('-g') } : {}) };
  if (as.uid !== undefined && as.gid !== undefined) await chown(dir, as.uid, as.gid);
  const control = (...args: string[]) => run(join(bin, 'pg_ctl'), ['-D', join(dir, 'data'), '-w', ...args], as);
  await run(
    join(bin, 'initdb'),
    ['-D', join(dir, 'data'), '-U', 'parley', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    as,
  );
  await control('-l', join(dir, 'log'), '-o', `-k ${dir} -c listen_addresses= -c fsync=off`, 'start');
  return {
    url: `postgres://parley@localhost/postgres?host=${encodeURIComponent(dir)}`,
    stop: async () => {
      await control('-m', 'immediate', 'stop').catch(() => undefined);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const sample = [parseMigration('20260101000000_sample', Buffer.from(SAMPLE.join(';\n')))];

/** Of all migrations, and of one of every kind of object. */
const fingerprints = async (url: string): Promise<unknown> => [
  (await buildManifest(url, await loadMigrations(migrationsDir))).migrations,
  (await buildManifest(url, sample)).migrations,
];

it('the bundled server makes the fingerprints of the committed manifest', async () => {
  const { migrations } = parseManifest(await readFile(join(migrationsDir, '../schema.manifest.json'), 'utf8'));
  expect(await fingerprints(serverUrl())).toMatchObject([migrations, [{ name: '20260101000000_sample' }]]);
});

for (const bin of others) {
  describe(`another server: ${bin}`, () => {
    let server: Server;
    beforeAll(async () => void (server = await startServer(bin)));
    afterAll(() => server.stop());
    const replicas: ServerProcess[] = [];
    afterEach(async () => {
      for (const replica of replicas.splice(0)) await replica.stop('SIGKILL');
    });
    const replica = async (): Promise<ServerProcess> => {
      const environment = { APP_SECRET: 'versions-secret-versions-secret-versions', NODE_ENV: 'test' };
      const started = await startServerProcess({ ...environment, DATABASE_URL: server.url });
      replicas.push(started);
      return started;
    };

    it('makes the same fingerprints', async () => {
      expect(await fingerprints(server.url)).toEqual(await fingerprints(serverUrl()));
    });

    it('ends a build that asks for a newer one with 24, and what it needs', async () => {
      const manifest = { ...(await buildManifest(server.url, sample)), minServer: 18 };
      const options = { connectionString: server.url, migrationsDir, manifest, appVersion: 'test' };
      await expect(runLifecycle(options)).rejects.toMatchObject({
        exitCode: 24,
        message: expect.stringMatching(/^PostgreSQL 1[4-7]\.\d+.* is too old$/),
        hint: expect.stringContaining('18 or newer'),
      });
    });

    it('carries the product: it migrates, people talk, and a second start has nothing to do', async () => {
      const first = await replica();
      const [ada, ben] = [await register(first.url, 'Ada'), await register(first.url, 'Ben')];
      const { body } = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] });
      const connection = await connect(ada);
      const message = { c: body.id, clientId: randomUUID(), body: 'as on any other' };
      expect(await connection.emit('message.send', message)).toMatchObject({ ok: true });
      connection.close();
      const history = await ben.get(`/api/v1/conversations/${body.id}/messages`);
      expect(history.body).toMatchObject({ items: [{ clientId: message.clientId, body: message.body }] });
      expect(await first.stop()).toBe(0);

      const second = await replica();
      expect(second.output()).toMatch(/"event":"schema\.verified".*"fastPath":true/);
      expect(await second.stop()).toBe(0);
    });
  });
}
