import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { countRows } from '../../src/platform/database/lifecycle/count-rows.js';
import { parseManifest } from '../../src/platform/database/lifecycle/manifest.js';
import { runLifecycle } from '../../src/platform/database/lifecycle/run-lifecycle.js';
import { loadSeeds } from '../../src/platform/database/lifecycle/seeds.js';
import type { LifecycleOptions } from '../../src/platform/database/lifecycle/types.js';
import { root } from '../support/server-process.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

const snapshots = join(root, 'test/upgrades');
const prisma = join(root, 'prisma');

let world: World;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
});
afterAll(() => world.stop());

async function load(file: string): Promise<{ scene: Scene; through: string | undefined }> {
  const scene = await world.database();
  await scene.sql('DROP SCHEMA ledger CASCADE');
  const text = await readFile(file, 'utf8');
  await scene.sql(text);
  return { scene, through: /^-- Parley \S+, through (\S+)$/m.exec(text)?.[1] };
}

/**
 * Boots the build of today on it, twice: the second time there is nothing left to do. No table has lost a row, and only seeds
 * have added any.
 */
async function upgrade(scene: Scene): Promise<readonly string[]> {
  const manifest = parseManifest(await readFile(join(prisma, 'schema.manifest.json'), 'utf8'));
  const options: LifecycleOptions = {
    connectionString: scene.url,
    migrationsDir: join(prisma, 'migrations'),
    manifest,
    seeds: loadSeeds(join(prisma, 'seeds')),
    appVersion: 'upgrade',
    settings: { drift: 'strict', outOfOrder: 'refuse', blockedHoldMs: 0, failHoldMs: 0 },
  };
  const before = await countRows(options);
  const { applied, head, ahead } = await runLifecycle(options);
  expect({ head, ahead }).toEqual({ head: manifest.head, ahead: false });
  expect(await runLifecycle(options)).toMatchObject({ applied: [], seeded: [], fastPath: true });
  const after = await countRows(options);
  expect(Object.entries(before).filter(([table, rows]) => (after[table] ?? 0) < rows)).toEqual([]);
  for (const table of ['users', 'messages', 'memberships']) expect(after[table]).toBe(before[table]);
  return applied;
}

it.each(readdirSync(snapshots))(
  'a database that release %s left becomes the one of today, with its people and messages',
  async (file) => {
    const { scene } = await load(join(snapshots, file));
    const [least] = await scene.sql<{ n: number }>(
      'SELECT least((SELECT count(*) FROM users), (SELECT count(*) FROM messages), (SELECT count(*) FROM memberships))::int AS n',
    );
    expect(least?.n).toBeGreaterThan(0);
    await upgrade(scene);
  },
);

it('a snapshot of an earlier migration lacks the later ones, and gets them', async () => {
  const names = readdirSync(join(prisma, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const early = names.at(-3) ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'parley-upgrade-'));
  const out = join(folder, 'early.sql');
  const script = join(root, 'scripts/migrations/snapshot.mjs');
  await promisify(execFile)(process.execPath, [script, '--through', early, '--out', out]);
  const { scene, through } = await load(out);
  expect(through).toBe(early);
  expect(await upgrade(scene)).toEqual(names.slice(-2));
  await rm(folder, { recursive: true });
});
