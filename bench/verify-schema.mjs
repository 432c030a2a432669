// How long the schema check of a boot takes: Parley's schema filled up to 60 tables, read by the single statement and
// compared as a boot does it; cold on a new connection, warm on the same one. Needs a built server (dist/) and a PostgreSQL on which databases may be created:
//   DATABASE_URL=postgres://… node bench/verify-schema.mjs [rounds]
import { join } from 'node:path';
import pg from 'pg';
import { compareSchema } from '../dist/platform/database/lifecycle/manifest-compare.js';
import { readSchema } from '../dist/platform/database/lifecycle/manifest-read.js';
import { loadMigrations } from '../dist/platform/database/lifecycle/migration-files.js';
import { replayMigrations } from '../dist/platform/database/lifecycle/replay.js';

const TABLES = 60;
const rounds = Number(process.argv[2] ?? 30);
const admin = new pg.Client(process.env.DATABASE_URL);
const name = `parley_bench_verify_${process.pid}`;
const url = new URL(process.env.DATABASE_URL);
url.pathname = `/${name}`;

/** What a table of a messaging schema looks like: fills up to the number of tables the target speaks of. */
const table = (i) => `
CREATE TABLE filler_${i} (
  id uuid PRIMARY KEY, parent_id uuid REFERENCES filler_${i}, kind text NOT NULL DEFAULT 'text', body text,
  meta jsonb NOT NULL DEFAULT '{}', rev bigint NOT NULL DEFAULT 0, created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3), CONSTRAINT filler_${i}_rev CHECK (rev >= 0));
CREATE INDEX ON filler_${i} (parent_id, rev);`;

async function onNewConnection(work) {
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

await admin.connect();
await admin.query(`CREATE DATABASE ${name}`);
const version = (await admin.query('SHOW server_version')).rows[0].server_version;
try {
  const expected = await onNewConnection(async (client) => {
    await replayMigrations(client, 'public', await loadMigrations(join(import.meta.dirname, '../prisma/migrations')));
    const tables = async () =>
      (await readSchema(client, 'public')).objects.filter(({ kind }) => kind === 'table').length;
    for (let n = await tables(); n < TABLES; n += 1) await client.query(table(n));
    await client.query('ANALYZE');
    const { fingerprint, objects } = await readSchema(client, 'public');
    return { migrations: [{ after: fingerprint }], objects };
  });
  const times = { cold: [], warm: [] };
  for (let round = 0; round < rounds; round += 1) {
    await onNewConnection(async (client) => {
      for (const kind of ['cold', 'warm']) {
        const start = performance.now();
        const live = await readSchema(client, 'public');
        const { fatal, policy } = compareSchema(expected, live, { drift: 'warn' });
        times[kind].push(performance.now() - start);
        if (fatal.length + policy.length > 0) throw new Error('the unchanged schema differs from itself');
      }
    });
  }
  const summary = Object.fromEntries(
    Object.entries(times).map(([kind, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      return [
        kind,
        { medianMs: Number(quantile(sorted, 0.5).toFixed(2)), p95Ms: Number(quantile(sorted, 0.95).toFixed(2)) },
      ];
    }),
  );
  console.log(
    JSON.stringify({
      bench: 'verify-schema',
      server: version,
      tables: TABLES,
      objects: expected.objects.length,
      rounds,
      ...summary,
    }),
  );
} finally {
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
}
