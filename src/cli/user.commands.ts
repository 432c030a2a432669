import { createGraph } from '../app.js';
import { AdministrationService } from '../modules/administration/administration.service.js';
import { newAccount } from '../modules/users/dto/account.view.js';
import { newSecret } from '../platform/clock/clock.js';
import type { Config } from '../platform/config/config.js';
import { packageVersion } from '../platform/config/package-root.js';
import { DatabaseService } from '../platform/database/database.service.js';
import { createPool } from '../platform/database/pool.js';
import { createLog } from '../platform/logging/create-log.js';
import type { CliCommand } from './command-line.js';
import { withDatabase } from './database-target.js';

export const userCreateAdmin: CliCommand = {
  name: 'user create-admin',
  summary: 'Make an account with the role admin. The server may run meanwhile, or not.',
  usage: '<email or phone>',
  options: {
    name: { type: 'string', description: 'how the account is called; default Admin' },
    password: { type: 'string', description: 'default: a random one, printed once' },
  },
  examples: ['parley user create-admin ada@example.com --name Ada'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options }) => {
      const password = typeof invocation.flags['password'] === 'string' ? invocation.flags['password'] : undefined;
      const account = newAccount.safeParse({
        identifier: invocation.args[0],
        displayName: invocation.flags['name'] ?? 'Admin',
        password: password ?? newSecret(16),
      });
      if (!account.success) {
        invocation.note(account.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
        return 2;
      }
      const id = await withService(config, options.connectionString, (service) => service.createAdmin(account.data));
      const made = password === undefined ? { id, password: account.data.password } : { id };
      invocation.print(
        made,
        () =>
          `Admin ${account.data.identifier.value} (${id})` +
          (made.password === undefined
            ? ''
            : `\nPassword: ${made.password}   (shown once; change it after signing in)`),
      );
      return 0;
    }),
};

/** The service on an open database, without starting what a server starts. */
async function withService<Result>(
  config: Config,
  connectionString: string,
  work: (service: AdministrationService) => Promise<Result>,
): Promise<Result> {
  const graph = await createGraph(config);
  const database = graph.get(DatabaseService);
  const log = await createLog({ level: 'warn', pretty: true, base: {} });
  const applicationName = `parley/cli/${packageVersion()}`;
  database.open(createPool(config, { connectionString, applicationName, pooler: false }, log), { prepared: false });
  try {
    return await work(graph.get(AdministrationService, { strict: false }));
  } finally {
    await database.close();
  }
}
