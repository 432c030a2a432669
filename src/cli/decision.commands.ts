import { adopt, resolve, type Resolution } from '../platform/database/lifecycle/resolve.js';
import { previewRepair, repairSchema } from '../platform/database/lifecycle/repair-schema.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';

const USAGE = 2;
const SCHEMA = 16;

export const dbAdopt: CliCommand = {
  name: 'db adopt',
  summary: 'Take over a database made by other means: write its history without running anything.',
  usage: '[--at <migration>] [--dry-run]',
  options: {
    at: { type: 'string', description: 'the migration the schema stands at; you vouch for it' },
    'dry-run': { type: 'boolean', description: 'only say what would be written' },
    ...yesIMeanIt,
  },
  examples: ['parley db adopt --dry-run', 'parley db adopt', 'parley db adopt --at 20261121000300_conversations'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options }) => {
      const { at } = invocation.flags;
      const dryRun = invocation.flags['dry-run'] === true;
      if (typeof at === 'string' && !dryRun)
        await confirm(`Record everything up to ${at} as applied, without comparing?`, invocation.flags, config);
      const report = await adopt(options, { ...(typeof at === 'string' ? { at } : {}), dryRun });
      invocation.print(
        report,
        () =>
          `${report.dryRun ? 'Would record' : 'Recorded'} ${report.migrations.length} migrations, up to ${report.through}.`,
      );
      return 0;
    }),
};

const actions = [
  'applied',
  'rolled-back',
  'retry',
  'accept-checksum',
] as const satisfies readonly Resolution['action'][];

export const dbResolve: CliCommand = {
  name: 'db resolve',
  summary: 'Decide what a boot cannot decide: say how a migration stands. A blocked boot goes on by itself.',
  usage: '--applied|--rolled-back|--retry|--accept-checksum <migration>',
  options: {
    applied: { type: 'string', description: 'its changes are in the database' },
    'rolled-back': { type: 'string', description: 'its changes are not in the database' },
    retry: { type: 'string', description: 'run the same file again after it failed' },
    'accept-checksum': { type: 'string', description: 'the file was edited, and that is right' },
  },
  examples: [
    'parley db resolve --rolled-back 20261201120000_add_topics',
    'parley db resolve --retry 20261201120000_add_topics',
  ],
  run: (invocation) => {
    const chosen = actions.flatMap((action) => {
      const migration = invocation.flags[action];
      return typeof migration === 'string' ? [{ action, migration }] : [];
    });
    const [resolution] = chosen;
    if (!resolution || chosen.length > 1) {
      invocation.note(
        'parley db resolve takes exactly one of --applied, --rolled-back, --retry, --accept-checksum, with the name of a migration',
      );
      return Promise.resolve(USAGE);
    }
    return withDatabase(invocation, async ({ options }) => {
      await resolve(options, resolution);
      invocation.print(resolution, () => `${resolution.migration}: ${resolution.action}`);
      return 0;
    });
  },
};

export const dbRepair: CliCommand = {
  name: 'db repair',
  summary: 'Bring back what is missing from the schema. Only adds, never drops or changes; a second run does nothing.',
  usage: '[--dry-run|--sql]',
  options: {
    'dry-run': { type: 'boolean', description: 'only say what would be done' },
    sql: { type: 'boolean', description: 'print the same as one idempotent script' },
  },
  examples: ['parley db repair --dry-run', 'parley db repair', 'parley db repair --sql > repair.sql'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const { flags, print } = invocation;
      if (flags['dry-run'] === true || flags['sql'] === true) {
        const preview = await previewRepair(options);
        print(preview, () =>
          flags['sql'] === true
            ? preview.script
            : preview.statements.map(({ sql }) => sql).join('\n') || 'Nothing is missing.',
        );
        return 0;
      }
      const report = await repairSchema(options);
      print(report, () =>
        [
          report.statements.length === 0 ? 'Nothing was missing.' : `${report.statements.length} statements run.`,
          ...report.refused.map(
            (r) => `left out: ${r.object}: ${r.reason}${r.rows > 0 ? ` (${r.rows} rows: ${r.query})` : ''}`,
          ),
        ].join('\n'),
      );
      return report.refused.length > 0 ? SCHEMA : 0;
    }),
};
