// How long the schema check of a boot takes: the single-statement read of 60 tables plus comparison, each time on a new
// connection. Needs a built server (dist/) and a PostgreSQL on which databases may be created:
//   DATABASE_URL=postgres://… node bench/verify-schema.mjs [rounds]
import pg from 'pg';
import { compareObjects } from '../dist/platform/database/lifecycle/manifest-compare.js';
import { readLiveObjects } from '../dist/platform/database/lifecycle/manifest-read.js';

const TABLES = 60;
const rounds = Number(process.argv[2] ?? 30);
const admin = new pg.Client(process.env.DATABASE_URL);
const name = `parley_bench_verify_${process.pid}`;
const url = new URL(process.env.DATABASE_URL);
url.pathname = `/${name}`;

/** Twelve columns, four indexes, a check and a foreign key: what a table of a messaging schema looks like. */
const table = (i) => `
CREATE TABLE t${i} (
  id uuid PRIMARY KEY, parent_id uuid REFERENCES t${Math.max(0, i - 1)}, seq bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL DEFAULT 'text', state text NOT NULL, body text, meta jsonb NOT NULL DEFAULT '{}',
  mentions uuid[] NOT NULL DEFAULT '{}', rev bigint NOT NULL DEFAULT 0, size int, created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3), CONSTRAINT t${i}_rev CHECK (rev >= 0));
CREATE INDEX ON t${i} (parent_id, rev); CREATE INDEX ON t${i} (created_at) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX ON t${i} (kind, seq); CREATE INDEX ON t${i} USING gin (mentions);`;

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
try {
  const expected = await onNewConnection(async (client) => {
    await client.query(Array.from({ length: TABLES }, (_, i) => table(i)).join('\n'));
    await client.query('ANALYZE');
    return readLiveObjects(client, 'public');
  });
  const times = { cold: [], warm: [] };
  for (let round = 0; round < rounds; round += 1) {
    await onNewConnection(async (client) => {
      for (const kind of ['cold', 'warm']) {
        const start = performance.now();
        const live = await readLiveObjects(client, 'public');
        const { fatal, policy } = compareObjects(expected, live, { drift: 'warn' });
        times[kind].push(performance.now() - start);
        if (fatal.length + policy.length > 0) throw new Error('the unchanged schema differs from itself');
      }
    });
  }
  const summary = Object.fromEntries(
    Object.entries(times).map(([kind, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      return [kind, { medianMs: Number(quantile(sorted, 0.5).toFixed(2)), p95Ms: Number(quantile(sorted, 0.95).toFixed(2)) }];
    }),
  );
  console.log(JSON.stringify({ bench: 'verify-schema', tables: TABLES, objects: expected.length, rounds, ...summary }));
} finally {
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
}
