import { loadConfig } from '../platform/config/config.js';
import { packageVersion } from '../platform/config/package-root.js';
import { lifecycleOptions } from '../platform/database/lifecycle-options.js';
import { loadBuild } from '../platform/database/lifecycle/build.js';
import { assertOnThisMachine, dropSchemas } from '../platform/database/lifecycle/reset.js';
import { runLifecycle } from '../platform/database/lifecycle/run-lifecycle.js';
import { schemaScript } from '../platform/database/lifecycle/script.js';
import { seedDatabase } from '../platform/database/lifecycle/seed-database.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';

const USAGE = 2;

export const dbScript: CliCommand = {
  name: 'db script',
  summary: 'Print the whole schema as one SQL script for an empty database, history included. Connects to nothing.',
  examples: ['parley db script > schema.sql', 'psql -v ON_ERROR_STOP=1 -f schema.sql'],
  run: async (invocation) => {
    const options = lifecycleOptions(await loadConfig(process.env), { url: '', directUrl: '' }, packageVersion());
    const script = schemaScript(await loadBuild(options), options.schema);
    invocation.print({ script }, () => script.trimEnd());
    return 0;
  },
};

export const dbSeed: CliCommand = {
  name: 'db seed',
  summary: 'Run the seeds that are due, and nothing else. A boot and parley db migrate do it too.',
  examples: ['parley db seed'],
  run: (invocation) =>
    withDatabase(invocation, async ({ options }) => {
      const seeded = await seedDatabase(options);
      invocation.print({ seeded }, () => (seeded.length === 0 ? 'No seed was due.' : `Seeded: ${seeded.join(', ')}`));
      return 0;
    }),
};

export const dbReset: CliCommand = {
  name: 'db reset',
  summary: 'Throw a development database away and make it anew. Refused in production and on another machine.',
  usage: '[--yes-i-mean-it]',
  options: { 'yes-i-mean-it': { ...yesIMeanIt['yes-i-mean-it'], description: 'do not ask' } },
  examples: ['parley db reset'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options }) => {
      if (config.isProduction) {
        invocation.note('parley db reset: refused, NODE_ENV is production. Nothing was changed.');
        return USAGE;
      }
      assertOnThisMachine(options);
      await confirm('Delete everything in this database?', invocation.flags, config);
      await dropSchemas(options);
      const { applied, seeded } = await runLifecycle(options);
      invocation.print({ applied, seeded }, () => `Made anew: ${applied.length} migrations, ${seeded.length} seeds.`);
      return 0;
    }),
};
