import pg from 'pg';
import { readSchema } from '../../dist/platform/database/lifecycle/manifest-read.js';
import { messagesOf } from './plan-files.mjs';

/**
 * Applies all files to an empty database, the last `count` of them twice.
 *
 * @param {string} url a server on which a database may be made
 * @param {{ name: string, sql: string }[]} files
 * @returns {Promise<string | undefined>} what went wrong
 */
export const runTwice = async (url, files, count) => {
  const target = new URL(url);
  target.pathname = '/run_twice';
  await withClient(url, (client) => client.query('CREATE DATABASE run_twice TEMPLATE template0'));
  return withClient(target.href, async (client) => {
    for (const [index, { name, sql }] of files.entries()) {
      const apply = async () => {
        for (const message of messagesOf(sql)) await client.query(message);
        return (await readSchema(client, 'public')).fingerprint;
      };
      try {
        const once = await apply();
        if (index >= files.length - count && (await apply()) !== once)
          return `${name}: the second run changes the schema`;
      } catch (error) {
        return `${name}: ${error.message}`;
      }
    }
    return undefined;
  });
};

const withClient = async (url, work) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};
