import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { buildManifest } from './manifest.js';
import { startServer, type TestServer } from '../../support/postgres.js';
import type { Manifest } from '../../../src/platform/database/lifecycle/manifest.js';
import { endReplicas, Replica, spoken } from './replicas.js';
import type { ReplicaSpec } from './replica.js';

export { DURABILITY_OFF } from '../../support/postgres.js';

/** How long a suite may go in its full size: `PARLEY_FAULTS=full`. */
export const full = process.env.PARLEY_FAULTS === 'full';

/** Ledger DDL every scenario starts with. Each migration and seed writes one row, so a second run shows. */
export const ledger = `CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.entry (what text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), session text DEFAULT current_setting('application_name'));`;

/** Migration folders by name; `entry` rows are added by `steps`. */
export type Files = Record<string, string>;

export const record = (name: string): string => `INSERT INTO ledger.entry (what) VALUES ('${name}');`;

/** `n` small migrations: a table each, and their ledger rows. */
export function steps(n: number, from = 1): Files {
  const files: Files = {};
  for (let i = from; i < from + n; i++) {
    const name = migrationName(i);
    files[name] = `CREATE TABLE IF NOT EXISTS t${i} (id integer PRIMARY KEY, note text);\n${record(name)}\n`;
  }
  return files;
}

export const migrationName = (i: number, words = `step_${i}`): string =>
  `20260101${String(i).padStart(6, '0')}_${words}`;

/** One server, and databases on it, for the tests of a file. */
export class World {
  private constructor(
    readonly server: TestServer,
    private readonly folder: string,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-lifecycle-'));
    return new World(await startServer({ settings }), folder);
  }

  async stop(): Promise<void> {
    await endReplicas();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A database of its own with the ledger in it. */
  async database(): Promise<Scene> {
    const name = `scene_${Math.random().toString(36).slice(2, 10)}`;
    await this.sql(`CREATE DATABASE ${name}`);
    const scene = new Scene(this, name, join(this.folder, name));
    await scene.sql(ledger);
    return scene;
  }

  /** Log lines of a database's sessions; the world must log statements with the prefix `%d|%a|`. */
  async statements(database: string): Promise<string[]> {
    const log = await readFile(join(this.server.dir, 'server.log'), 'utf8');
    return log.split('\n').filter((line) => line.startsWith(`${database}|`));
  }

  async sql<Row extends object>(text: string, url = this.server.url): Promise<Row[]> {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }
}

export type Overrides = Partial<Omit<ReplicaSpec, 'migrationsDir'>> & { files?: Files };

export class Scene {
  manifest: Manifest | undefined;
  private versions = 0;

  constructor(
    readonly world: World,
    readonly name: string,
    private readonly folder: string,
  ) {}

  get url(): string {
    return databaseUrl(this.world.server.url, this.name);
  }

  sql<Row extends object = Record<string, unknown>>(text: string): Promise<Row[]> {
    return this.world.sql<Row>(text, this.url);
  }

  /** Writes a migrations folder: one version of a build. */
  async build(files: Files, provider = 'postgresql'): Promise<string> {
    const directory = join(this.folder, `build-${++this.versions}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'migration_lock.toml'), `provider = "${provider}"\n`);
    for (const [name, sql] of Object.entries(files)) {
      await mkdir(join(directory, name), { recursive: true });
      await writeFile(join(directory, name, 'migration.sql'), sql);
    }
    return directory;
  }

  /** The manifest of a build, made on a scratch database of the same server. */
  async manifestOf(files: Files): Promise<Manifest> {
    const scratch = await this.world.database();
    return buildManifest(scratch.url, await scratch.build(files));
  }

  /** Starts a replica of a build. Holds are off: tests that want them say so. */
  async replica(migrationsDir: string, overrides: Overrides = {}): Promise<Replica> {
    return new Replica(this.spec(migrationsDir, overrides));
  }

  spec(migrationsDir: string, overrides: Overrides = {}): ReplicaSpec {
    const { files: _files, settings, ...rest } = overrides;
    return {
      connectionString: this.url,
      migrationsDir,
      appVersion: '1.0.0',
      host: 'test',
      ...(this.manifest ? { manifest: this.manifest } : {}),
      ...rest,
      settings: {
        deadlineMs: 30_000,
        connectDelayMs: 250,
        blockedHoldMs: 0,
        failHoldMs: 0,
        ...settings,
      },
    };
  }

  /** Counts by ledger entry. */
  async ledger(): Promise<Record<string, number>> {
    const rows = await this.sql<{ what: string; n: number }>(
      'SELECT what, count(*)::int AS n FROM ledger.entry GROUP BY what ORDER BY what',
    );
    return Object.fromEntries(rows.map(({ what, n }) => [what, n]));
  }

  async history(): Promise<{ name: string; state: string }[]> {
    return this.sql(`SELECT migration_name AS name, CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back'
      WHEN finished_at IS NULL THEN 'unfinished' ELSE 'applied' END AS state
      FROM _prisma_migrations ORDER BY migration_name, started_at`);
  }

  /** What must hold after every case: nothing ran twice, no lock is left, no secret was said. */
  async check(): Promise<void> {
    const doubled = Object.entries(await this.ledger()).filter(([, n]) => n > 1);
    expect(doubled).toEqual([]);
    expect(await this.locks()).toEqual([]);
    const { password } = new URL(this.url);
    const said = [...spoken, ...(await this.audit())];
    expect(said.filter((line) => password !== '' && line.includes(password))).toEqual([]);
  }

  /** Every row the lifecycle kept about itself, as text. */
  private async audit(): Promise<string[]> {
    const [found] = await this.sql<{ there: boolean }>("SELECT to_regclass('lifecycle.audit') IS NOT NULL AS there");
    if (!found?.there) return [];
    return (await this.sql<{ row: string }>('SELECT a::text AS row FROM lifecycle.audit a')).map(({ row }) => row);
  }

  async drop(): Promise<void> {
    await this.world.sql(`DROP DATABASE ${this.name} WITH (FORCE)`);
  }

  locks(): Promise<{ pid: number; objid: number }[]> {
    return this.sql(`SELECT l.pid, l.objid::int FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE locktype = 'advisory' AND granted AND d.datname = current_database()`);
  }
}

export function databaseUrl(url: string, database: string): string {
  return url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}
