import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { v7 } from './uuid.js';
import { emptyDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';

const prisma = join(process.cwd(), 'prisma');
const read = (path: string) => ({ name: path, sql: readFileSync(join(prisma, path), 'utf8') });

/** All migrations in the order they apply. */
export const migrations = () =>
  readdirSync(join(prisma, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => ({ ...read(`migrations/${name}/migration.sql`), name }));

export const seeds = () =>
  readdirSync(join(prisma, 'seeds'))
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
    .map((name) => read(`seeds/${name}`));

/** A database made by the migration files alone, and sessions on it. Read its fields inside tests and hooks. */
export class SchemaFixture {
  private database: TestDatabase | undefined;
  private readonly sessions: Client[] = [];
  db = new Client();

  /** @param files what to apply; default: everything */
  static use(files = [...migrations(), ...seeds()]): SchemaFixture {
    const fixture = new SchemaFixture();
    beforeAll(async () => {
      fixture.database = await emptyDatabase();
      fixture.db = await fixture.session();
      for (const { sql } of files) await fixture.db.query(sql);
    });
    afterAll(async () => {
      await Promise.all(fixture.sessions.map((session) => session.end()));
      await fixture.database?.drop();
    });
    return fixture;
  }

  get url(): string {
    return this.database?.url ?? '';
  }

  async session(): Promise<Client> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    this.sessions.push(client);
    return client;
  }

  /** Rows of one statement on the main session. */
  async rows<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.db.query<Row>(sql, values)).rows;
  }

  /** The SQLSTATE with which the database refuses a statement; undefined if it does not. */
  async refusal(sql: string, values: unknown[] = []): Promise<string | undefined> {
    return refusal(this.db.query(sql, values));
  }

  /** A user with a head. Ascending ids, as in the product. */
  async user(): Promise<string> {
    const id = v7();
    await this.db.query('INSERT INTO users (id, display_name) VALUES ($1, $2)', [id, 'Someone']);
    await this.db.query('INSERT INTO user_head (user_id) VALUES ($1)', [id]);
    return id;
  }

  async users(count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push(await this.user());
    return ids;
  }

  /** A group of those users, with a head at zero. */
  async conversation(...members: string[]): Promise<string> {
    const id = v7();
    await this.db.query(
      `INSERT INTO conversations (id, type, settings, created_by, rev) VALUES ($1, 'group', '{}', $2, 1)`,
      [id, members[0] ?? v7()],
    );
    await this.db.query('INSERT INTO conversation_head (conversation_id) VALUES ($1)', [id]);
    for (const member of members) {
      await this.db.query('INSERT INTO memberships (conversation_id, user_id, rev, user_rev) VALUES ($1, $2, 1, 1)', [
        id,
        member,
      ]);
    }
    return id;
  }

  /** Resolves once the session waits for a lock that another one holds. */
  async waitsForLock(session: Client): Promise<void> {
    const pid = (session as Client & { processID: number }).processID;
    const blocked = 'SELECT FROM pg_stat_activity WHERE pid = $1 AND cardinality(pg_blocking_pids(pid)) > 0';
    while ((await this.rows(blocked, [pid])).length === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

export const refusal = async (statement: Promise<unknown>): Promise<string | undefined> => {
  try {
    await statement;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};
