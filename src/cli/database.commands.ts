import type { Config } from '../platform/config/config.js';
import { runningEmbedded } from '../platform/database/embedded-leftover.js';
import { countRows } from '../platform/database/lifecycle/count-rows.js';
import { doctor, type Finding } from '../platform/database/lifecycle/doctor.js';
import { runLifecycle } from '../platform/database/lifecycle/run-lifecycle.js';
import { plan, status, verify } from '../platform/database/lifecycle/status.js';
import type { Comparison } from '../platform/database/lifecycle/manifest-compare.js';
import { inspectAws, inspectParameters } from './aws-checks.js';
import type { CliCommand, Invocation } from './command-line.js';
import { withDatabase, embeddedDirectory } from './database-target.js';

const ACTION_NEEDED = 3;

const differences = (comparison: Comparison | null): string[] =>
  comparison === null
    ? []
    : (['fatal', 'policy', 'info'] as const).flatMap((severity) =>
        comparison[severity].map(
          (d) =>
            `  ${severity}: ${d.object}: expected ${d.expected}, found ${d.found}${d.command ? `\n      ${d.command}` : ''}`,
        ),
      );

export const dbStatus: CliCommand = {
  name: 'db status',
  summary: 'History, lock, seeds, epoch and drift of the database; exit 3 when something is to be done.',
  examples: ['parley db status', 'parley db status --json'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const report = await status(options);
      invocation.print(report, () =>
        [
          ...report.migrations.map(
            (m) =>
              `${m.state.padEnd(10)} ${m.name}${m.edited ? ' (edited after it was applied)' : ''}${m.quarantined ? ` (failed before: ${m.quarantined})` : ''}`,
          ),
          ...report.seeds.map((seed) => `${(seed.due ? 'pending' : 'applied').padEnd(10)} seed ${seed.name}`),
          `epoch ${report.epoch}, database asks for ${report.minEpoch}; fingerprint ${report.fingerprint ?? 'not computed'}`,
          ...report.lock.map((h) => `lock held by ${h.application} (pid ${h.pid})`),
          ...report.connections.map((c) => `${c.count} connections of ${c.application}`),
          ...differences(report.comparison),
          ...(report.blocked ? [`blocked: ${report.blocked.message}`, report.blocked.hint ?? ''] : []),
          report.upToDate ? 'The database is up to date.' : 'Something is to be done: parley db plan',
        ].join('\n'),
      );
      return report.upToDate ? 0 : ACTION_NEEDED;
    }),
};

export const dbPlan: CliCommand = {
  name: 'db plan',
  summary:
    'What the next boot would do: files, lanes, locks and their SQL. Changes nothing; exit 3 when there is something.',
  options: { sql: { type: 'boolean', description: 'print the SQL as well' } },
  examples: ['parley db plan', 'parley db plan --sql'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const report = await plan(options);
      const work = report.files.length + report.seeds.length + report.actions.length;
      invocation.print(report, () =>
        work === 0
          ? 'Nothing to do.'
          : [
              ...report.actions,
              ...report.files.flatMap((file) => [
                `${file.name} (${file.lane}${file.epoch > 0 ? `, contract epoch ${file.epoch}` : ''})`,
                ...file.warnings.map((warning) => `  warning: ${warning}`),
                ...(invocation.flags['sql'] === true ? [file.sql] : file.locks.map((lock) => `  ${lock}`)),
              ]),
              ...report.seeds.map((seed) => `seed ${seed}`),
            ].join('\n'),
      );
      return work === 0 ? 0 : ACTION_NEEDED;
    }),
};

export const dbMigrate: CliCommand = {
  name: 'db migrate',
  summary: 'Connect, lock, migrate, seed and verify, as a boot does; for one-shot jobs beside DB_MIGRATE=verify.',
  usage: '[--backup <folder>] [--count-rows]',
  options: {
    backup: { type: 'string', description: 'write a backup into this folder first' },
    'count-rows': { type: 'boolean', description: 'count the rows of every table before and after' },
  },
  examples: ['parley db migrate', 'parley db migrate --backup /backups --count-rows'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const folder = invocation.flags['backup'];
      if (typeof folder === 'string') {
        const { backupInto } = await import('./backup.commands.js');
        invocation.note(`backup: ${await backupInto(options, folder)}`);
      }
      const counting = invocation.flags['count-rows'] === true;
      const before = counting ? await countRows(options) : {};
      const result = await runLifecycle(options);
      const after = counting ? await countRows(options) : {};
      const rows = Object.keys({ ...before, ...after }).map((table) => ({
        table,
        before: before[table] ?? null,
        after: after[table] ?? null,
      }));
      invocation.note('migrate deploy succeeded');
      invocation.note('No P3009 errors');
      invocation.print({ ...result, ...(counting ? { rows } : {}) }, () =>
        [
          ...rows.map(
            (row) => `rows of ${row.table}: ${row.before ?? 'no table'} before, ${row.after ?? 'no table'} after`,
          ),
          result.applied.length === 0
            ? 'Nothing was pending.'
            : `Applied ${result.applied.length}: ${result.applied.join(', ')}`,
          ...(result.seeded.length > 0 ? [`Seeded: ${result.seeded.join(', ')}`] : []),
          `All tables verified; head ${result.head ?? 'none'}, epoch ${result.epoch}`,
        ].join('\n'),
      );
      return 0;
    }),
};

export const dbVerify: CliCommand = {
  name: 'db verify',
  summary: 'Compare the live schema with what this build expects. Changes nothing; exit 3 when they differ.',
  examples: ['parley db verify', 'parley db verify --json'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const report = await verify(options);
      invocation.print(report, () =>
        [
          ...differences(report.comparison),
          ...(report.problem ? [report.problem.message, report.problem.hint ?? ''] : []),
          report.ok
            ? `All tables verified; fingerprint ${report.fingerprint ?? ''}`
            : 'The schema is not what this build expects.',
        ]
          .filter(Boolean)
          .join('\n'),
      );
      return report.ok ? 0 : ACTION_NEEDED;
    }),
};

export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'Find out why the database, S3, SQS or Parameter Store cannot be used, and what to do next.',
  examples: ['parley doctor', 'DATABASE_URL=postgresql://... parley doctor --json'],
  run: async (invocation) => {
    const parameters = await inspectParameters(process.env);
    // The rest of the configuration cannot be read without them.
    if (parameters.some(({ result }) => result === 'failed')) return report(invocation, parameters);
    return withDatabase({ note: () => undefined }, async ({ config, options }) => {
      const [database, aws] = await Promise.all([doctor(options), inspectAws(config)]);
      return report(invocation, [...database, ...(await leftoverServer(config)), ...parameters, ...aws]);
    });
  },
};

function report({ print }: Invocation, findings: Finding[]): number {
  const mark = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' };
  print(findings, () =>
    findings
      .map((f) => `${mark[f.result]} ${f.check}: ${f.message}${f.next ? `\n          ${f.next}` : ''}`)
      .join('\n'),
  );
  return findings.some((f) => f.result === 'failed') ? ACTION_NEEDED : 0;
}

/** A server of an earlier start without DATABASE_URL, which nobody uses now. */
async function leftoverServer(config: Config): Promise<Finding[]> {
  if (!config.DATABASE_URL) return [];
  const directory = embeddedDirectory(config);
  const pid = await runningEmbedded(directory);
  if (pid === undefined) return [];
  const message = `the embedded server of an earlier start still runs on ${directory} (process ${pid}); DATABASE_URL names another`;
  return [
    {
      check: 'embedded',
      result: 'warning',
      message,
      next: `Stop it: kill -INT ${pid}. Or unset DATABASE_URL to use it.`,
    },
  ];
}
