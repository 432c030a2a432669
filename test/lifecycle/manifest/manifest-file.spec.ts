import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { buildManifest } from '../../../src/platform/database/lifecycle/manifest-build.js';
import { readObjectsInFull, readSchema } from '../../../src/platform/database/lifecycle/manifest-read.js';
import {
  ManifestFormatError,
  objectKey,
  parseManifest,
  serialiseManifest,
  sortObjects,
} from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations, parseMigration } from '../../../src/platform/database/lifecycle/migration-files.js';
import { serverUrl } from '../../support/database.js';
import { startServer, type TestServer } from '../../support/postgres.js';
import { createSample, liveFingerprint, manifestOf, SAMPLE, undone } from './sample-schema.js';
import type { Sample } from './sample-schema.js';

const prisma = join(import.meta.dirname, '../../../prisma');

describe('the committed manifest', () => {
  it('is byte for byte what the migrations make', async () => {
    const rebuilt = await buildManifest(serverUrl(), await loadMigrations(join(prisma, 'migrations')));
    expect(serialiseManifest(rebuilt)).toBe(await readFile(join(prisma, 'schema.manifest.json'), 'utf8'));
  });
});

describe('building a manifest', () => {
  // Of its own: on the shared server other files build manifests at the same time, and theirs would be counted as left.
  let server: TestServer;
  beforeAll(async () => void (server = await startServer()));
  afterAll(() => server.stop());

  it('records the fingerprint on both sides of each migration, and leaves nothing behind', async () => {
    const left = `SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE 'parley_manifest%') + (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'parley_manifest%') AS n`;
    const files = [
      parseMigration('20260101000000_a', Buffer.from('CREATE TABLE a (id int PRIMARY KEY)')),
      parseMigration('20260101000001_b', Buffer.from('INSERT INTO a VALUES (1)')),
      parseMigration(
        '20260101000002_c',
        Buffer.from('-- lifecycle: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id)'),
      ),
      parseMigration(
        '20260101000003_d',
        Buffer.from(`-- lifecycle: contract epoch=3\nCREATE EXTENSION pg_trgm VERSION '1.6'; DROP INDEX i`),
      ),
    ];
    const manifest = await buildManifest(server.url, files);
    const [a, b, c, d] = manifest.migrations;
    expect([b?.before, c?.before, d?.before]).toEqual([a?.after, b?.after, c?.after]);
    expect(a?.before).not.toBe(a?.after);
    expect(b?.before).toBe(b?.after);
    expect(d?.after).toBe(a?.after);
    expect(manifest).toMatchObject({ head: '20260101000003_d', epoch: 3, minServer: 14 });
    expect([c?.lane, d?.epoch]).toEqual(['no-transaction', 3]);
    expect(manifest.objects.find(({ kind }) => kind === 'extension')).toMatchObject({
      name: 'pg_trgm',
      version: '1.6',
    });
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    expect((await admin.query(left)).rows).toEqual([{ n: '0' }]);
    await admin.end();
  });

  it('names the migration that fails, and still cleans up', async () => {
    const broken = [parseMigration('20260101000000_a', Buffer.from('CREATE TABLE a (id int); SELECT nothing'))];
    await expect(buildManifest(server.url, broken)).rejects.toThrow(
      '20260101000000_a: column "nothing" does not exist',
    );
  });
});

describe('manifest text', () => {
  let sample: Sample;
  beforeAll(async () => void (sample = await createSample()));
  afterAll(() => sample.drop());

  it('is one sorted object per line, and reads back the same', () => {
    const text = serialiseManifest({ ...sample.manifest, objects: sample.manifest.objects.toReversed() });
    expect(parseManifest(text).objects).toEqual(sample.manifest.objects);
    expect(text.split('\n').filter((line) => line.startsWith('    {"kind"'))).toHaveLength(
      sample.manifest.objects.length,
    );
    expect(sortObjects(sample.manifest.objects)).toEqual(sample.manifest.objects);
  });

  it.each(['', '{}', 'null', '{"format":2}', '{"format":1}'])('refuses %j', (text) => {
    expect(() => parseManifest(text)).toThrow(ManifestFormatError);
  });

  it('says nothing of the name of the schema', async () => {
    const other = await createSample(['CREATE SCHEMA "My app"', 'SET search_path = "My app", public', ...SAMPLE]);
    const objects = await readObjectsInFull(other.client, 'My app');
    expect((await readSchema(other.client, 'My app')).fingerprint).toBe(await liveFingerprint(sample.client));
    expect(objects).toEqual(sample.manifest.objects);
    expect(manifestOf(objects).objects.length).toBeGreaterThan(30);
    await other.drop();
  });

  it('says nothing of what an extension brought, its relations included', async () => {
    const { client, manifest } = sample;
    const known = new Set(manifest.objects.map(objectKey));
    const before = await liveFingerprint(client);
    await undone(client, 'CREATE EXTENSION pg_stat_statements', async () => {
      const { fingerprint, objects } = await readSchema(client, 'public');
      expect(fingerprint).toBe(before);
      expect(objects.map(objectKey).filter((key) => !known.has(key))).toEqual(['extension  pg_stat_statements']);
    });
  });

  it('is read without changing the settings of the session, in a transaction or outside', async () => {
    const { client } = sample;
    const settings = async (): Promise<unknown> =>
      (
        await client.query(
          `SELECT current_setting('search_path') AS path, current_setting('jit') AS jit, current_setting('datestyle') AS dates`,
        )
      ).rows[0];
    await client.query(
      `SET search_path = "$user", public, pg_temp; SET datestyle = 'German'; SET quote_all_identifiers = on`,
    );
    const before = await settings();
    const { fingerprint } = await readSchema(client, 'public');
    expect(await settings()).toEqual(before);
    await client.query('BEGIN');
    expect((await readSchema(client, 'public')).fingerprint).toBe(fingerprint);
    expect(await settings()).toEqual(before);
    await client.query('ROLLBACK; RESET ALL');
    expect(await liveFingerprint(client)).toBe(fingerprint);
  });
});
