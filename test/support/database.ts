import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export const TEMPLATE = 'parley_test_template';

export interface TestDatabase {
  url: string;
  name: string;
  /** Closes what is still connected, and drops the database. */
  drop(): Promise<void>;
}

/** A database with Parley's verified schema and essential data, this caller's alone. About 60 ms. */
export const cloneDatabase = (): Promise<TestDatabase> => create(TEMPLATE);

/** A database without anything in it. */
export const emptyDatabase = (): Promise<TestDatabase> => create('template0');

/** A clone for the test file: made before its tests, dropped after them. Read its fields inside tests and hooks. */
export function useDatabase(): TestDatabase {
  const database = { url: '', name: '', drop: () => Promise.resolve() };
  beforeAll(async () => void Object.assign(database, await cloneDatabase()));
  afterAll(() => database.drop());
  return database;
}

/** Runs SQL on a database of the test server, by default as its administrator. */
export async function query<Row extends object>(
  sql: string,
  values: unknown[] = [],
  url = serverUrl(),
): Promise<Row[]> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** The test server shared by all files of a run; made by global-setup. */
export function serverUrl(database?: string): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('No test server: this test belongs into a Jest project with globalSetup.');
  return database ? withDatabase(url, database) : url;
}

export async function create(
  template: string,
  name = `parley_test_${randomBytes(6).toString('hex')}`,
): Promise<TestDatabase> {
  if (!name.includes('test')) throw new Error(`Refusing ${name}: the name of a test database contains "test".`);
  await query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`);
  const drop = async () => void (await query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
  return { url: serverUrl(name), name, drop };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
