import type { BootRun } from './boot-run.js';
import { LifecycleError } from './errors.js';
import type { Session } from './session.js';
import { foundColumns, type Found } from './state.js';
import { lifecycleTables, literal } from './tables.js';

/** Oldest major version the runner itself works with; a build may ask for more in its manifest. */
const leastServer = 14;

export interface ServerFacts {
  found: Found;
  pid: number;
  version: number;
  versionText: string;
  encoding: string;
  standby: boolean;
  readOnly: boolean;
  synchronousCommit: string;
  fsync: string;
  role: string;
  mayCreate: boolean;
  mayUseSchema: boolean;
  mayReadHistory: boolean;
  /** Server clock minus ours, ms. */
  skewMs: number;
}

const factsSql = (schema: string): string => {
  const t = lifecycleTables(schema);
  const namespace = `to_regnamespace(${literal(t.schema)})`;
  const home = `to_regnamespace(${literal(t.home)})`;
  const history = `to_regclass(${literal(t.history)})`;
  return `
  SELECT pg_backend_pid() AS pid,
         current_setting('server_version_num')::int / 10000 AS version,
         current_setting('server_version') AS "versionText",
         current_setting('server_encoding') AS encoding,
         pg_is_in_recovery() AS standby,
         current_setting('transaction_read_only') = 'on' AS "readOnly",
         current_setting('synchronous_commit') AS "synchronousCommit",
         current_setting('fsync') AS fsync,
         current_user AS role,
         has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
         CASE WHEN ${namespace} IS NULL THEN has_database_privilege(current_database(), 'CREATE')
              ELSE has_schema_privilege(${namespace}::oid, 'CREATE') END AS "mayUseSchema",
         CASE WHEN ${history} IS NULL THEN true ELSE has_table_privilege(${history}::oid, 'SELECT') END
           AND CASE WHEN ${home} IS NULL THEN true ELSE has_schema_privilege(${home}::oid, 'USAGE') END AS "mayReadHistory",
         (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,${foundColumns(t)}`;
};

export async function readFacts(session: Pick<Session, 'query'>, schema: string): Promise<ServerFacts> {
  const { rows } = await session.query<Omit<ServerFacts, 'skewMs' | 'found'> & Found & { now: number }>(
    factsSql(schema),
  );
  const row = rows[0];
  if (!row) throw new Error('the server answered nothing');
  const { now, history, home, empty, ...facts } = row;
  return { ...facts, found: { history, home, empty }, skewMs: Math.round(now - Date.now()) };
}

/** Is this a server we can work on, with the rights we need? Throws 18 and 24; a standby may be promoted, so is retried. */
export function checkFacts(run: Pick<BootRun, 'settings' | 'options' | 'schema' | 'report'>, facts: ServerFacts): void {
  const { settings, options, schema } = run;
  const least = Math.max(leastServer, options.manifest?.minServer ?? 0);
  if (facts.version < least) {
    throw unsuitable(`PostgreSQL ${facts.versionText} is too old`, `This build needs ${least} or newer.`);
  }
  if (facts.encoding !== 'UTF8') {
    throw unsuitable(
      `the database is encoded in ${facts.encoding}`,
      "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
    );
  }
  if (facts.standby || facts.readOnly) throw new StandbyError(facts.standby);
  if (settings.migrate === 'auto') checkRights(facts, schema);
  else if (!facts.mayReadHistory) {
    throw unsuitable(
      `role "${facts.role}" may not read the migration history`,
      `GRANT SELECT ON ${lifecycleTables(schema).history} TO "${facts.role}"; GRANT USAGE ON SCHEMA ${lifecycleTables(schema).home} TO "${facts.role}"; GRANT SELECT ON ALL TABLES IN SCHEMA ${lifecycleTables(schema).home} TO "${facts.role}";`,
    );
  }
  if (facts.synchronousCommit === 'off' || facts.fsync === 'off') {
    run.report({
      event: 'db.warning',
      warning: `the server may lose acknowledged writes: fsync=${facts.fsync}, synchronous_commit=${facts.synchronousCommit}`,
      hint: 'Fine for tests only. ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET synchronous_commit = on; reload.',
    });
  }
  if (Math.abs(facts.skewMs) > 5_000) {
    run.report({
      event: 'db.warning',
      warning: `this machine's clock is ${Math.round(-facts.skewMs / 1000)} s off the server's`,
      hint: 'Run a time service. History and order use the server clock and stay correct.',
    });
  }
}

function checkRights(facts: ServerFacts, schema: string): void {
  const { role } = facts;
  if (!facts.mayUseSchema) {
    throw unsuitable(
      `role "${role}" may not create objects in schema "${schema}"`,
      `GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${role}"; or migrate with another role: DATABASE_DIRECT_URL, or parley db migrate with DB_MIGRATE=verify here.`,
    );
  }
  if (!facts.mayCreate) {
    throw unsuitable(
      `role "${role}" may not create schemas in this database`,
      `GRANT CREATE ON DATABASE <name> TO "${role}"; or migrate with another role: DATABASE_DIRECT_URL, or parley db migrate with DB_MIGRATE=verify here.`,
    );
  }
}

const unsuitable = (message: string, hint: string): LifecycleError => new LifecycleError('server', message, { hint });

/** A standby can become primary, so this one is worth waiting for. */
export class StandbyError extends LifecycleError {
  constructor(standby: boolean) {
    super(
      'server',
      standby ? 'the server is a read-only standby' : 'the server accepts no writes (default_transaction_read_only)',
      {
        code: '25006',
        hint: standby
          ? 'Point the URL at the primary (target_session_attrs is not used), or promote this server: SELECT pg_promote().'
          : 'ALTER DATABASE ... RESET default_transaction_read_only.',
      },
    );
  }
}

/** Behind a pooler nothing of a session lasts. With DATABASE_DIRECT_URL set, that is the URL that must be direct. */
export function notePooler(run: BootRun): void {
  run.report({ event: 'db.pooler_detected', policy: run.settings.pooler });
  if (run.settings.pooler === 'refuse') throw poolerError('the lifecycle connection goes through a pooler');
}

export const poolerError = (message: string): LifecycleError =>
  new LifecycleError('pooler', message, {
    hint: 'Set DATABASE_DIRECT_URL to the PostgreSQL server itself, past the pooler.',
  });
