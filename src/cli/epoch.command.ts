import { DatabaseService } from '../platform/database/database.service.js';
import { createLog } from '../platform/logging/create-log.js';
import { ServerEpoch } from '../platform/realtime/server-epoch.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';
import { withOpenDatabase } from './open-database.js';

export const epochBump: CliCommand = {
  name: 'epoch bump',
  summary:
    'After a failover that lost writes: every client drops what it has cached, keeps its outbox, and reads anew.',
  options: {
    reason: { type: 'string', description: 'kept beside the new epoch (default: operator)' },
    ...yesIMeanIt,
  },
  examples: ['parley epoch bump', 'parley epoch bump --reason "failover to db2" --yes-i-mean-it'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options: { connectionString } }) => {
      await confirm('Make every client read everything anew?', invocation.flags, config);
      const { reason } = invocation.flags;
      const database = new DatabaseService(await createLog({ level: 'warn', pretty: true, base: {} }));
      return withOpenDatabase(database, config, connectionString, async () => {
        const epoch = await new ServerEpoch(database).bump(typeof reason === 'string' ? reason : 'operator');
        invocation.print({ epoch }, () => `New epoch ${epoch}. Connected clients start over within 5 s.`);
        return 0;
      });
    }),
};
