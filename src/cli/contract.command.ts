import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGraph } from '../app.js';
import { packageRoot, packageVersion } from '../platform/config/package-root.js';
import { createOpenApi } from '../platform/http/openapi.js';
import { createAsyncApi } from '../platform/realtime/asyncapi.js';
import { CommandRegistry } from '../platform/realtime/command-registry.js';
import type { CliCommand } from './command-line.js';

export const contract: CliCommand = {
  name: 'contract',
  summary: 'Write docs/openapi.json and docs/asyncapi.json from the schemas that validate requests.',
  options: {
    check: { type: 'boolean', description: 'change nothing; exit 1 when the file is not what the code says' },
  },
  examples: ['parley contract', 'parley contract --check'],
  run: async ({ flags, note }) => {
    const app = await createGraph();
    const commands = app.get(CommandRegistry, { strict: false });
    commands.onModuleInit();
    const files = {
      'docs/openapi.json': await createOpenApi(app, packageVersion()),
      'docs/asyncapi.json': createAsyncApi(commands.all(), packageVersion()),
    };
    let stale = 0;
    for (const [name, document] of Object.entries(files)) {
      const path = join(packageRoot(), name);
      const text = `${JSON.stringify(document, null, 2)}\n`;
      if (flags['check'] !== true) await writeFile(path, text);
      else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
        stale += 1;
        note(`${name} differs from the code; run: npm run contract`);
      }
    }
    return stale === 0 ? 0 : 1;
  },
};
