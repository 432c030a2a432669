import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSchema } from '../../../src/platform/database/lifecycle/manifest-read.js';
import { loadSeeds } from '../../../src/platform/database/lifecycle/seeds.js';
import { prisma } from '../../support/schema-engine/prisma-cli.js';
import { migrations, SchemaFixture, seeds } from './schema-fixture.js';

/** One hash over every row of every table, whatever their order. */
async function dataHash(fixture: SchemaFixture): Promise<string> {
  const tables = await fixture.rows<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE "C"`,
  );
  const hash = createHash('sha256');
  for (const { name } of tables) {
    const rows = await fixture.rows<{ row: string }>(`SELECT t::text AS row FROM "${name}" AS t ORDER BY 1`);
    hash.update(JSON.stringify([name, rows]));
  }
  return hash.digest('hex');
}

describe('every migration runs twice', () => {
  const fixture = SchemaFixture.use([]);
  const schemaHash = async () => (await readSchema(fixture.db, 'public')).fingerprint;

  it.each(migrations())('$name', async ({ sql }) => {
    const empty = await schemaHash();
    await fixture.db.query(sql);
    const [schema, data] = [await schemaHash(), await dataHash(fixture)];
    expect(schema).not.toBe(empty);
    await fixture.db.query(sql);
    expect([await schemaHash(), await dataHash(fixture)]).toEqual([schema, data]);
  });

  it.each(seeds())('$name', async ({ sql }) => {
    const empty = await dataHash(fixture);
    await fixture.db.query(sql);
    const data = await dataHash(fixture);
    expect(data).not.toBe(empty);
    await fixture.db.query(sql);
    expect(await dataHash(fixture)).toBe(data);
  });

  it('and all of them in a row, over data', async () => {
    await fixture.conversation(await fixture.user());
    const [schema, data] = [await schemaHash(), await dataHash(fixture)];
    for (const { sql } of [...migrations(), ...seeds()]) await fixture.db.query(sql);
    expect([await schemaHash(), await dataHash(fixture)]).toEqual([schema, data]);
  });
});

describe('two schemas of one database', () => {
  const fixture = SchemaFixture.use([]);

  it('become the same, whoever brought the extension', async () => {
    const found: string[] = [];
    for (const schema of ['first', 'second']) {
      await fixture.db.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}`);
      for (const { sql } of [...migrations(), ...seeds()]) await fixture.db.query(sql);
      found.push((await readSchema(fixture.db, schema)).fingerprint);
    }
    expect(found[1]).toBe(found[0]);
  });
});

describe('a setting an operator changed', () => {
  const fixture = SchemaFixture.use();

  it('survives the seeds', async () => {
    await fixture.db.query(`UPDATE system_health_config SET "refreshInterval" = 5000`);
    const epochs = await fixture.rows('SELECT epoch FROM server_epoch');
    for (const { sql } of seeds()) await fixture.db.query(sql);
    expect(await fixture.rows('SELECT "refreshInterval" AS n FROM system_health_config')).toEqual([{ n: 5000 }]);
    expect(await fixture.rows('SELECT epoch FROM server_epoch')).toEqual(epochs);
  });
});

describe('the backup location', () => {
  const fixture = SchemaFixture.use(migrations());

  it('is the one configured', async () => {
    const query = async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      const { rows, rowCount } = await fixture.db.query<Row>(sql, [...values]);
      return { rows, rowCount: rowCount ?? 0 };
    };
    await fixture.db.query('BEGIN');
    for (const seed of loadSeeds('prisma/seeds', { 'parley.backup_location': '/somewhere' })) await seed.run({ query });
    await fixture.db.query('COMMIT');
    const rows = await fixture.rows('SELECT "backupLocation" AS at FROM system_health_config');
    expect(rows).toEqual([{ at: '/somewhere' }]);
  });
});

describe('the stock Prisma CLI', () => {
  const fixture = SchemaFixture.use([]);
  let project: string;
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'parley-prisma-'));
    for (const name of ['prisma', 'prisma.config.ts', 'package.json'])
      cpSync(name, join(project, name), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(project, 'node_modules'));
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  const run = (...args: string[]) => prisma(['migrate', ...args], fixture.url, project);

  it('finds no difference between the migrations and the models', async () => {
    const diff = await run('diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma', '--exit-code');
    expect(diff).toMatchObject({ code: 0, output: expect.stringContaining('No difference detected') });
  });

  it('applies them, says so, and has nothing to do after', async () => {
    expect(await run('status')).toMatchObject({ code: 1 });
    expect(await run('deploy')).toMatchObject({ code: 0 });
    expect(await run('status')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Database schema is up to date'),
    });
    expect(await run('deploy')).toMatchObject({ code: 0, output: expect.stringContaining('No pending migrations') });
    const applied = await fixture.rows<{ name: string }>(`SELECT name FROM migration_history WHERE state = 'applied'`);
    expect(applied.map(({ name }) => name)).toEqual(migrations().map(({ name }) => name));
  });

  it('says what is wrong with a database that is not there', async () => {
    const missing = new URL(fixture.url);
    missing.pathname = '/parley_test_nowhere';
    const status = await prisma(['migrate', 'status'], missing.href, project);
    expect(status).toMatchObject({ code: 1, output: expect.stringContaining('P1003') });
  });

  it('sees a model that has no migration', async () => {
    const file = join(project, 'prisma/models/extra.prisma');
    writeFileSync(file, 'model Extra {\n  id String @id @db.Uuid\n}\n');
    const diff = await run('diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma', '--exit-code');
    rmSync(file);
    expect(diff).toMatchObject({ code: 2, output: expect.stringContaining('Extra') });
  });

  it('is stopped by a broken migration, which leaves nothing but its row, until it is resolved', async () => {
    const name = '20991231000000_broken';
    mkdirSync(join(project, 'prisma/migrations', name));
    const sql = '-- lifecycle: expand\nCREATE TABLE IF NOT EXISTS half_way (id bigint);\nSELECT nonsense;\n';
    writeFileSync(join(project, 'prisma/migrations', name, 'migration.sql'), sql);
    expect(await run('deploy')).toMatchObject({ code: 1, output: expect.stringContaining('nonsense') });
    expect(await fixture.rows(`SELECT to_regclass('half_way') AS table`)).toEqual([{ table: null }]);
    expect(await run('deploy')).toMatchObject({ code: 1, output: expect.stringContaining('P3009') });
    expect(await run('resolve', '--rolled-back', name)).toMatchObject({ code: 0 });
    rmSync(join(project, 'prisma/migrations', name), { recursive: true });
    expect(await run('status')).toMatchObject({ code: 0 });
  });
});
