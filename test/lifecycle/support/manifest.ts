import { Client } from 'pg';
import { readObjectsInFull, readSchema } from '../../../src/platform/database/lifecycle/manifest-read.js';
import {
  MANIFEST_FORMAT,
  type Manifest,
  type ManifestMigration,
} from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations } from '../../../src/platform/database/lifecycle/migration-files.js';
import { statements } from '../../../src/platform/database/lifecycle/sql-lexer.js';

/** Replays a build's migrations on an empty database and writes down what they make. */
export async function buildManifest(url: string, migrationsDir: string): Promise<Manifest> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const migrations: ManifestMigration[] = [];
    let before = (await readSchema(client, 'public')).fingerprint;
    for (const file of await loadMigrations(migrationsDir)) {
      const parts = file.lane === 'transactional' ? [file.sql] : statements(file.sql).map((s) => s.text);
      for (const part of parts) await client.query(part);
      const after = (await readSchema(client, 'public')).fingerprint;
      migrations.push({ name: file.name, checksum: file.checksum, lane: file.lane, epoch: file.epoch, before, after });
      before = after;
    }
    return {
      format: MANIFEST_FORMAT,
      minServer: 14,
      head: migrations.at(-1)?.name ?? '',
      epoch: Math.max(0, ...migrations.map((m) => m.epoch)),
      migrations,
      objects: await readObjectsInFull(client, 'public'),
    };
  } finally {
    await client.end();
  }
}
