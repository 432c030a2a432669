import { randomBytes } from 'node:crypto';

import { Client, escapeIdentifier } from 'pg';

import { readObjectsInFull, readSchema } from './manifest-read.js';
import { MANIFEST_FORMAT } from './manifest.js';
import type { Manifest, ManifestMigration, SchemaObject } from './manifest.js';
import type { MigrationFile } from './migration-files.js';
import { replayMigrations } from './replay.js';

const MIN_SERVER = 14;

/**
 * Replays all migrations on a scratch database and describes what they make.
 * @param adminUrl a server on which a database and a role may be created and dropped again; both get random names.
 */
export async function buildManifest(
  adminUrl: string,
  files: readonly MigrationFile[],
  schema = 'public',
): Promise<Manifest> {
  return onScratchDatabase(adminUrl, async (client) => {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(schema)}`);
    let before = (await readSchema(client, schema)).fingerprint;
    const migrations: ManifestMigration[] = [];
    await replayMigrations(client, schema, files, async ({ name, checksum, lane, epoch }) => {
      const after = (await readSchema(client, schema)).fingerprint;
      migrations.push({ name, checksum, lane, epoch, before, after });
      before = after;
    });
    const minimum = extensionMinimums(files);
    const objects = (await readObjectsInFull(client, schema)).map((object): SchemaObject => {
      return object.kind === 'extension' ? { ...object, version: minimum.get(object.name) ?? '' } : object;
    });
    return {
      format: MANIFEST_FORMAT,
      minServer: MIN_SERVER,
      head: migrations.at(-1)?.name ?? '',
      epoch: Math.max(0, ...migrations.map(({ epoch }) => epoch)),
      migrations,
      objects,
    };
  });
}

/** The version found here says nothing about the least one needed; only a migration that names one does. */
function extensionMinimums(files: readonly MigrationFile[]): Map<string, string> {
  const pattern = /CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?[^;]*?\sVERSION\s+['"]?([\w.]+)/gi;
  const found = files.flatMap(({ sql }) => [...sql.matchAll(pattern)]);
  return new Map(found.map(([, name = '', version = '']) => [name, version]));
}

/**
 * As a plain owner and not as a superuser: so the manifest shows the rights an owner really has, and migrations that
 * need more fail here.
 */
async function onScratchDatabase<T>(adminUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const name = `parley_manifest_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE ROLE ${name}`);
    await admin.query(`CREATE DATABASE ${name} OWNER ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query(`SET ROLE ${name}`);
      return await work(client);
    } finally {
      await client.end();
    }
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${name}`);
    await admin.end();
  }
}
