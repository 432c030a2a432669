import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

const CHAR = 18;
/** Catalogue types that the adapter does not know, read as their nearest kin: text, text[], int4. */
const KIN = new Map([
  [CHAR, 25],
  [194, 25],
  [2205, 25],
  [24, 25],
  [1003, 1009],
  [28, 23],
]);
/** The adapter's column type "Character", which the engine expects of a `"char"`. */
const CHARACTER = 6;

/**
 * The stock adapter made fit for schema work. It repairs four things: scripts run whole (the stock one splits at every
 * semicolon, also inside `$$`); there is one session, so an advisory lock stays where it was taken; catalogue types
 * arrive; and the shadow database is another database, not the one given.
 *
 * @param {string} url
 */
export const strictAdapterFactory = (url) => ({
  provider: 'postgres',
  adapterName: '@prisma/adapter-pg',
  connect: () => connect(url, (pool) => pool.end()),
  connectToShadowDb: () => connectToShadow(url),
});

const connect = async (url, release) => {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? 'public';
  parsed.searchParams.delete('schema');
  const pool = new pg.Pool({
    connectionString: parsed.href,
    max: 1,
    idleTimeoutMillis: 0,
    options: `-c search_path=${schema}`,
  });
  const chars = translateTypes(pool);
  const adapter = await new PrismaPg(pool, { schema, disposeExternalPool: false }).connect();

  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    chars.clear();
    const result = await queryRaw(query);
    for (const index of chars) result.columnTypes[index] = CHARACTER;
    return result;
  };
  adapter.executeScript = (script) =>
    pool.query(script).then(
      () => {},
      (error) => adapter.onError(error),
    );
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await release(pool);
  };
  return adapter;
};

/** Rewrites column types in each answer; the returned set names the `"char"` columns of the last one. */
const translateTypes = (pool) => {
  const chars = new Set();
  const query = pool.query.bind(pool);
  pool.query = async (...args) => {
    const result = await query(...args);
    result.fields?.forEach((field, index) => {
      if (field.dataTypeID === CHAR) chars.add(index);
      field.dataTypeID = KIN.get(field.dataTypeID) ?? field.dataTypeID;
    });
    return result;
  };
  return chars;
};

const connectToShadow = async (url) => {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  const shadow = new URL(url);
  shadow.pathname = `/${name}`;
  await statement(url, `CREATE DATABASE "${name}" TEMPLATE template0`);
  return connect(shadow.href, async (pool) => {
    await pool.end();
    await statement(url, `DROP DATABASE IF EXISTS "${name}"`);
  });
};

/** One statement on a session of its own: the engine's session may be inside a transaction. */
export const statement = async (url, text) => {
  const parsed = new URL(url);
  parsed.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: parsed.href });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
};
