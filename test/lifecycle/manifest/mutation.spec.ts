import { join } from 'node:path';
import { Client } from 'pg';
import { compareObjects, compareSchema } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import {
  readLiveObjects,
  readObjectsInFull,
  readSchema,
} from '../../../src/platform/database/lifecycle/manifest-read.js';
import { objectLabel } from '../../../src/platform/database/lifecycle/manifest.js';
import type { Manifest, SchemaObject } from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations } from '../../../src/platform/database/lifecycle/migration-files.js';
import { planRepair, repair, repairScript } from '../../../src/platform/database/lifecycle/repair.js';
import { replayMigrations } from '../../../src/platform/database/lifecycle/replay.js';
import { create, emptyDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { dropSql } from './drop-object.js';
import { liveFingerprint, manifestOf, undone } from './sample-schema.js';

/** So many objects are dropped from one copy before it is repaired. */
const BATCH = 24;

/**
 * Parley's real schema, each object dropped in turn: nothing may be lost without being seen, and what is additive comes
 * back exactly.
 */
describe('every object of the schema', () => {
  let original: TestDatabase;
  let manifest: Manifest;

  beforeAll(async () => {
    original = await emptyDatabase();
    manifest = await withClient(original.url, async (client) => {
      const files = await loadMigrations(join(import.meta.dirname, '../../../prisma/migrations'));
      await replayMigrations(client, 'public', files);
      return manifestOf(await readObjectsInFull(client, 'public'), await liveFingerprint(client));
    });
  });
  afterAll(() => original.drop());

  it('is detected when it is gone', async () => {
    const unseen: string[] = [];
    await withClient(original.url, async (client) => {
      for (const object of manifest.objects) {
        const seen = await undone(client, dropSql(object), async () => {
          const { fatal, policy } = compareSchema(manifest, await readSchema(client, 'public'), { drift: 'warn' });
          return [...fatal, ...policy].some((d) => d.kind === 'missing' && d.object === objectLabel(object));
        });
        if (!seen) unseen.push(objectLabel(object));
      }
    });
    expect(manifest.objects.length).toBeGreaterThan(500);
    expect(unseen).toEqual([]);
  });

  it('comes back by repair, which then finds nothing more to do', async () => {
    const copy = await create(original.name);
    await withClient(copy.url, async (client) => {
      const whole = await liveFingerprint(client);
      for (const batch of batches(manifest.objects)) {
        for (const object of batch) await client.query(dropSql(object));
        expect(await liveFingerprint(client)).not.toBe(whole);
        let audited = 0;
        const options = { schema: 'public', audit: () => Promise.resolve(void (audited += 1)) };
        const report = await repair(client, manifest, options);
        expect(report.refused).toEqual([]);
        expect(audited).toBe(report.executed);
        const { fatal, policy } = compareObjects(manifest.objects, await readLiveObjects(client, 'public'), {
          drift: 'warn',
        });
        expect([...fatal, ...policy]).toEqual([]);
        expect(await liveFingerprint(client)).toBe(whole);
        expect((await repair(client, manifest, options)).executed).toBe(0);
      }
    });
    await copy.drop();
  });

  it('comes back by the printed script, run twice', async () => {
    const copy = await create(original.name);
    await withClient(copy.url, async (client) => {
      const whole = await liveFingerprint(client);
      const kinds = Map.groupBy(manifest.objects, ({ kind }) => kind);
      for (const [kind, objects] of kinds) {
        // Every third: enough of each kind to meet every form of statement.
        const damaged = kind === 'column' || kind === 'table' ? objects.filter((_, index) => index % 3 === 0) : objects;
        for (const object of damaged) await client.query(dropSql(object));
        const script = repairScript(await planRepair(client, manifest, 'public'), 'public');
        for (const _ of ['first', 'second']) await runScript(client, script);
        expect(await liveFingerprint(client)).toBe(whole);
      }
    });
    await copy.drop();
  });
});

function* batches(objects: SchemaObject[]): Generator<SchemaObject[]> {
  for (let start = 0; start < objects.length; start += BATCH) yield objects.slice(start, start + BATCH);
}

/** As psql does: one message per statement. Each begins with a comment that names its object, and ends a line. */
async function runScript(client: Client, script: string): Promise<void> {
  for (const statement of script.split(/;\n(?=-- |SET |$)/)) await client.query(statement);
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SET client_min_messages = warning');
    return await work(client);
  } finally {
    await client.end();
  }
}
