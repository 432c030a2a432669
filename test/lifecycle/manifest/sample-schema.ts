import { readObjectsInFull, readSchema } from '../../../src/platform/database/lifecycle/manifest-read.js';
import type { Manifest, SchemaObject } from '../../../src/platform/database/lifecycle/manifest.js';
import { Client } from 'pg';
import { emptyDatabase } from '../../support/database.js';

/** One of every kind of object a manifest knows. One statement each, so that a test can apply any part of it. */
export const SAMPLE = [
  `CREATE EXTENSION pg_trgm`,
  `CREATE TYPE "Role" AS ENUM ('owner', 'admin', 'member')`,
  `CREATE SEQUENCE ticket_seq`,
  `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$`,
  `CREATE TABLE users (
    id uuid PRIMARY KEY,
    handle text NOT NULL,
    email varchar(200) COLLATE "C",
    role "Role" NOT NULL DEFAULT 'member',
    number serial,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    words tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, handle)) STORED,
    tags text[] NOT NULL DEFAULT '{}',
    note text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamp(6) DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT users_number_check CHECK (number > 0 AND role <> 'owner'),
    CONSTRAINT users_handle_key UNIQUE (handle)
  )`,
  `CREATE UNIQUE INDEX users_email_key ON users (lower(email) DESC) WHERE role <> 'owner'`,
  `CREATE INDEX users_words_idx ON users USING gin (words)`,
  `CREATE INDEX users_handle_trgm ON users USING gin (handle gin_trgm_ops)`,
  `CREATE TABLE posts (
    user_id uuid NOT NULL CONSTRAINT posts_user_id_fkey REFERENCES users ON DELETE CASCADE,
    seq bigint,
    body text,
    span int4range,
    pause interval DEFAULT '1 day',
    CONSTRAINT posts_pkey PRIMARY KEY (user_id, seq),
    CONSTRAINT posts_span_excl EXCLUDE USING gist (span WITH &&)
  ) WITH (fillfactor = 50)`,
  `CREATE INDEX posts_body_idx ON posts (body, seq DESC NULLS LAST) INCLUDE (pause)`,
  `CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()`,
  `CREATE VIEW bodies AS SELECT u.handle, p.body FROM users u JOIN posts p ON p.user_id = u.id`,
  `ALTER TABLE posts ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY mine ON posts USING (true)`,
  `CREATE FUNCTION user_rows(limited int, word text DEFAULT 'x') RETURNS SETOF users LANGUAGE sql STABLE AS 'SELECT * FROM users'`,
];

export interface Sample {
  client: Client;
  url: string;
  manifest: Manifest;
  drop(): Promise<void>;
}

/** Of a schema with these objects, which one migration brought it to. */
export function manifestOf(objects: SchemaObject[], after = ''): Manifest {
  const migration = { name: '', checksum: '', lane: 'transactional', epoch: 0, before: '', after } as const;
  return { format: 1, minServer: 14, head: '', epoch: 0, migrations: [migration], objects };
}

/** A database with the sample schema, and the manifest of it. */
export async function createSample(statements: readonly string[] = SAMPLE): Promise<Sample> {
  const database = await emptyDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(statements.join(';\n'));
  const objects = await readObjectsInFull(client, 'public');
  const drop = async (): Promise<void> => {
    await client.end();
    await database.drop();
  };
  return { client, url: database.url, manifest: manifestOf(objects), drop };
}

/** Runs work after `sql`, and undoes both. */
export async function undone<T>(client: Client, sql: string, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

export const liveFingerprint = async (client: Client): Promise<string> =>
  (await readSchema(client, 'public')).fingerprint;
