import { SecretBox } from '../platform/auth/secret-box.js';
import { SigningKeys } from '../platform/auth/signing-keys.js';
import { DatabaseService } from '../platform/database/database.service.js';
import { createLog } from '../platform/logging/create-log.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';
import { withOpenDatabase } from './open-database.js';

export const keysRotate: CliCommand = {
  name: 'keys rotate',
  summary: 'Make a new key that signs access tokens. It takes over in two minutes; tokens of the old one stay good.',
  options: {
    compromised: { type: 'boolean', description: 'the old keys end now, and with them every access token' },
    ...yesIMeanIt,
  },
  examples: ['parley keys rotate', 'parley keys rotate --compromised'],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options }) => {
      const compromised = invocation.flags['compromised'] === true;
      if (compromised) await confirm('End every access token now? Clients have to refresh.', invocation.flags, config);
      const log = await createLog({ level: 'warn', pretty: true, base: {} });
      const database = new DatabaseService(log);
      return withOpenDatabase(database, config, options.connectionString, async () => {
        const kid = await new SigningKeys(database, new SecretBox(config), config, log).rotate({ compromised });
        invocation.print(
          { kid, compromised },
          () => `New signing key ${kid}${compromised ? '; the old keys have ended.' : '; it signs in two minutes.'}`,
        );
        return 0;
      });
    }),
};
