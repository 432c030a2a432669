import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { backup } from '../../../src/platform/database/lifecycle/backup.js';
import type { BackupReport } from '../../../src/platform/database/lifecycle/backup.js';
import { readObjectsInFull } from '../../../src/platform/database/lifecycle/manifest-read.js';
import type { Manifest } from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations } from '../../../src/platform/database/lifecycle/migration-files.js';
import type { MigrationFile } from '../../../src/platform/database/lifecycle/migration-files.js';
import { restore } from '../../../src/platform/database/lifecycle/restore.js';
import type { RestoreReport } from '../../../src/platform/database/lifecycle/restore.js';
import { runLifecycle } from '../../../src/platform/database/lifecycle/run-lifecycle.js';
import type { LifecycleResult } from '../../../src/platform/database/lifecycle/types.js';
import { emptyDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { liveFingerprint, manifestOf } from './sample-schema.js';

const migrationsDir = join(import.meta.dirname, '../../../prisma/migrations');
const seeds = [
  {
    name: 'epoch',
    version: 1,
    kind: 'once' as const,
    run: async (tx: { query(sql: string): Promise<unknown> }): Promise<void> => {
      await tx.query(
        `INSERT INTO server_epoch (id, epoch, reason) VALUES (1, gen_random_uuid(), 'first') ON CONFLICT DO NOTHING`,
      );
    },
  },
];
/** Two tables that grow together: any instant at which they differ is torn. */
const TWICE = String.raw`WITH one AS (INSERT INTO outbox (topic, key, payload) VALUES (E'a\tb', E'line\nbreak \\ "ü"', '{"n": 1.10}') RETURNING id)
  INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts) SELECT gen_random_uuid(), 'q', 't', 'null', '\.', 1 FROM one`;
const COUNTS = `SELECT (SELECT count(*)::int FROM outbox) AS outbox, (SELECT count(*)::int FROM dead_letters) AS letters`;

describe('backup and restore', () => {
  let folder: string;
  let file: string;
  let source: TestDatabase;
  let client: Client;
  let manifest: Manifest;
  let migrations: MigrationFile[];
  const opened: Client[] = [];
  const databases: TestDatabase[] = [];

  const connect = async (url: string): Promise<Client> => {
    const one = new Client({ connectionString: url });
    one.on('error', () => undefined);
    await one.connect();
    opened.push(one);
    return one;
  };
  const empty = async (): Promise<TestDatabase> => {
    const database = await emptyDatabase();
    databases.push(database);
    return database;
  };
  const boot = (url: string, withManifest = true): Promise<LifecycleResult> =>
    runLifecycle({
      connectionString: url,
      migrationsDir,
      seeds,
      appVersion: 'test',
      ...(withManifest ? { manifest } : {}),
    });
  const save = (): Promise<BackupReport> => backup(client, { schema: 'public', file, appVersion: 'test', manifest });
  const load = (into: Client, path = file): Promise<RestoreReport> =>
    restore(into, { schema: 'public', file: path, migrations });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-backup-'));
    file = join(folder, 'one.backup');
    migrations = await loadMigrations(migrationsDir);
    source = await empty();
    await boot(source.url, false);
    client = await connect(source.url);
    manifest = manifestOf(await readObjectsInFull(client, 'public'));
    manifest.head = migrations.at(-1)?.name ?? '';
    manifest.migrations = migrations.map(({ name, checksum, lane, epoch }) => ({
      name,
      checksum,
      lane,
      epoch,
      before: '',
      after: '',
    }));
    await client.query(`${TWICE};${TWICE}`);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.end()));
    for (const database of databases.splice(0)) await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('saves one instant while others write, and restores it to a database that boots without work', async () => {
    const writers = await Promise.all([1, 2, 3].map(() => connect(source.url)));
    let writing = true;
    const writes = writers.map(async (writer) => {
      while (writing) await writer.query(TWICE);
    });
    const report = await save();
    writing = false;
    await Promise.all(writes);
    expect(report.head).toBe(manifest.head);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['one.backup']);

    const target = await connect((await empty()).url);
    const restored = await load(target);
    expect(restored).toEqual({ head: report.head, tables: report.tables, rows: report.rows, takenAt: report.takenAt });
    const { rows } = await target.query<{ outbox: number; letters: number }>(COUNTS);
    expect(rows[0]?.outbox).toBe(rows[0]?.letters);
    expect(rows[0]?.outbox).toBeGreaterThanOrEqual(2);
    const topic = await target.query(`SELECT DISTINCT topic, key, payload::text FROM outbox`);
    expect(topic.rows).toEqual([{ topic: 'a\tb', key: 'line\nbreak \\ "ü"', payload: '{"n": 1.10}' }]);
    expect(await liveFingerprint(target)).toBe(await liveFingerprint(client));
    await target.query(TWICE); // sequences are past what was loaded
    const again = await boot(`${databases.at(-1)?.url ?? ''}`);
    expect(again).toMatchObject({ applied: [], seeded: [], fastPath: true });
  });

  it('gives a restored database a new data epoch', async () => {
    await save();
    const target = await connect((await empty()).url);
    await load(target);
    const epochOf = async (one: Client): Promise<unknown> =>
      (await one.query(`SELECT epoch, reason FROM server_epoch`)).rows[0];
    expect(await epochOf(target)).toEqual({ epoch: expect.any(String), reason: 'restore' });
    expect(await epochOf(target)).not.toEqual(await epochOf(client));
  });

  it('keeps what an operator added by hand, with its rows', async () => {
    await client.query(`CREATE TABLE extra (id int PRIMARY KEY, note text); INSERT INTO extra VALUES (7, 'kept');
      ALTER TABLE outbox ADD extra text; UPDATE outbox SET extra = 'kept'`);
    await save();
    const target = await connect((await empty()).url);
    await load(target);
    expect((await target.query('SELECT * FROM extra')).rows).toEqual([{ id: 7, note: 'kept' }]);
    expect((await target.query('SELECT DISTINCT extra FROM outbox')).rows).toEqual([{ extra: 'kept' }]);
  });

  it('refuses a database that holds anything', async () => {
    await save();
    const target = await connect((await empty()).url);
    await target.query('CREATE TABLE here (id int)');
    await expect(load(target)).rejects.toThrow('the database is not empty (here): restore into a new one');
  });

  it('refuses a torn file, one that is none, and one whose rows were changed; nothing is loaded', async () => {
    await save();
    const whole = await readFile(file);
    const text = gunzipSync(whole).toString();
    const damaged: [name: string, bytes: Buffer, reason: RegExp][] = [
      ['torn', whole.subarray(0, whole.length - 200), /the backup (cannot be read|is torn)/],
      ['ended', gzipSync(text.slice(0, text.lastIndexOf('{"complete"'))), /the backup is torn: it has no end/],
      ['none', gzipSync('{"format":"other"}\n'), /the file is not a Parley backup/],
      [
        'changed',
        gzipSync(text.replace('"n": 1.10', '"n": 1.11')),
        /table outbox is not what was backed up: 2 rows \w+, loaded 2 rows/,
      ],
    ];
    for (const [name, bytes, reason] of damaged) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      const target = await connect((await empty()).url);
      await expect(load(target, path)).rejects.toThrow(reason);
      const { rows } = await target.query<{ there: string | null }>(`SELECT to_regclass('outbox') AS there`);
      if (rows[0]?.there) expect((await target.query(COUNTS)).rows).toEqual([{ outbox: 0, letters: 0 }]);
    }
  });

  it('refuses a backup of a newer build, and of other migrations', async () => {
    await save();
    const target = await connect((await empty()).url);
    const older = { schema: 'public', file, migrations: migrations.slice(0, -1) };
    await expect(restore(target, older)).rejects.toThrow(/has migration \w+, which this build does not know/);
    const edited = migrations.map((one) => ({ ...one, checksum: 'x', foldedChecksums: [] }));
    await expect(restore(target, { ...older, migrations: edited })).rejects.toThrow(
      /is not the one the backup was made with/,
    );
  });

  it('leaves no file behind when it fails', async () => {
    await client.query('ALTER TABLE _prisma_migrations RENAME TO gone');
    await expect(save()).rejects.toThrow('_prisma_migrations');
    expect(await readdir(folder)).toEqual([]);
  });
});
