import { BootRun } from './boot-run.js';
import { appRoleOf } from './boot-session.js';
import { checkDatabase } from './check.js';
import { openConnection, sessionOf } from './connect.js';
import { clientConfig, targetOf } from './connection-url.js';
import { diagnose } from './diagnose.js';
import { codeOf, LifecycleError, messageOf } from './errors.js';
import { loadBuild } from './build.js';
import { describeHolders, readHolders } from './lock-holders.js';
import { checkFacts, readFacts, type ServerFacts } from './preflight.js';
import { isIdle, reconcile } from './reconcile.js';
import type { LifecycleOptions } from './types.js';

export interface Finding {
  /** What was looked at: url, connection, tls, server, rights, pooler, clock, timezone, durability, lock, schema; and what else Parley is configured to use. */
  check: string;
  result: 'ok' | 'warning' | 'failed';
  message: string;
  /** The next step; '' when none is needed. */
  next: string;
}

/**
 * Looks at everything between this process and a working schema, and says for each what to do next. Never throws for a
 * fault of the environment: a fault is a finding.
 */
export async function doctor(options: LifecycleOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = (check: string, result: Finding['result'], message: string, next = ''): void => {
    findings.push({ check, result, message, next });
  };
  const source = options.urlSource ?? 'DATABASE_URL';
  const target = await attempt(() => targetOf(clientConfig(options.connectionString, source), source), note, 'url');
  if (!target) return findings;
  note('url', 'ok', `${source}: "${target.user}" on ${target.host}, database "${target.database}"`);

  const run = new BootRun({ ...options, settings: { ...options.settings, deadlineMs: 60_000 } });
  try {
    const client = await openConnection(options).catch((error: unknown) => {
      const found = diagnose(error, target);
      note(
        'connection',
        'failed',
        `${found.class}: ${found.message}${found.code ? ` [${found.code}]` : ''}`,
        found.hint,
      );
      return undefined;
    });
    if (!client) return findings;
    note('connection', 'ok', 'connected and signed in');
    note('tls', 'ok', client.ssl ? 'encrypted' : 'not encrypted (fine inside one host or a private network)');
    const session = sessionOf(run, client);
    try {
      const facts = await readFacts(session, run.schema);
      session.direct = facts.pid === session.greetedBy;
      session.serverPid = facts.pid;
      inspectServer(run, facts, session.direct, note);
      const zone = (await session.query<{ TimeZone: string }>('SHOW TimeZone')).rows[0]?.TimeZone ?? '';
      const utc = /^(UTC|Etc\/UTC|GMT|Zulu)$/i.test(zone);
      note(
        'timezone',
        'ok',
        utc ? 'server default is UTC' : `server default is ${zone}; Parley sets UTC on every connection`,
        utc || session.direct ? '' : `ALTER ROLE "${facts.role}" SET TimeZone = 'UTC';`,
      );
      const holders = await readHolders(session);
      note(
        'lock',
        holders.length === 0 ? 'ok' : 'warning',
        holders.length === 0 ? 'free' : `held by ${describeHolders(holders)}`,
      );
      await attempt(
        async () => {
          const build = await loadBuild(options);
          const plan = reconcile(build, await checkDatabase(session, appRoleOf(session)), run.settings);
          if (isIdle(plan)) note('schema', 'ok', 'as this build expects');
          else {
            const pending = plan.pending.map((file) => file.name).join(', ');
            note(
              'schema',
              'warning',
              `work is pending${pending ? `: ${pending}` : ''}`,
              'parley db migrate, or just start',
            );
          }
        },
        note,
        'schema',
      );
    } finally {
      await session.close();
    }
  } catch (error) {
    note(
      'connection',
      'failed',
      `${messageOf(error)}${codeOf(error) ? ` [${codeOf(error)}]` : ''}`,
      'See the server log.',
    );
  } finally {
    run.dispose();
  }
  return findings;
}

type Note = (check: string, result: Finding['result'], message: string, next?: string) => void;

async function attempt<T>(work: () => T | Promise<T>, note: Note, check: string): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    note(check, 'failed', error.message, error.hint);
    return undefined;
  }
}

function inspectServer(run: BootRun, facts: ServerFacts, direct: boolean, note: Note): void {
  if (direct) note('pooler', 'ok', 'connected to the server itself');
  else {
    note(
      'pooler',
      'warning',
      'the connection goes through a transaction pooler',
      'Set DATABASE_DIRECT_URL to the server itself.',
    );
  }
  try {
    // Its warnings are findings of their own below.
    checkFacts({ ...pick(run), report: () => undefined }, facts);
    note(
      'server',
      'ok',
      `PostgreSQL ${facts.versionText}, ${facts.encoding}, primary, role "${facts.role}" may migrate`,
    );
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    note(
      facts.standby || facts.readOnly ? 'standby' : /role/.test(error.message) ? 'rights' : 'server',
      'failed',
      error.message,
      error.hint,
    );
  }
  const skew = Math.round(facts.skewMs / 1000);
  if (Math.abs(skew) < 5) note('clock', 'ok', 'agrees with the server');
  else
    note(
      'clock',
      'warning',
      `this machine is ${Math.abs(skew)} s ${skew > 0 ? 'behind' : 'ahead of'} the server`,
      'Run a time service (chrony, systemd-timesyncd) on both.',
    );
  const durable = facts.fsync === 'on' && facts.synchronousCommit !== 'off';
  note(
    'durability',
    durable ? 'ok' : 'warning',
    `fsync=${facts.fsync}, synchronous_commit=${facts.synchronousCommit}`,
    durable
      ? ''
      : 'A crash of the server loses acknowledged messages. ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET synchronous_commit = on;',
  );
}

const pick = ({ settings, options, schema }: BootRun): Pick<BootRun, 'settings' | 'options' | 'schema'> => ({
  settings,
  options,
  schema,
});
