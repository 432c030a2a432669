import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGraph } from '../app.js';
import { packageRoot, packageVersion } from '../platform/config/package-root.js';
import { createOpenApi } from '../platform/http/openapi.js';
import { createAsyncApi } from '../platform/realtime/asyncapi.js';
import { CommandRegistry } from '../platform/realtime/command-registry.js';
import type { CliCommand } from './command-line.js';
import { configurationPage, errorsPage, eventsPage, llmsText, logEventsPage } from './reference-pages.js';
import { schemaNames } from './schema-names.js';

const json = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

export const contract: CliCommand = {
  name: 'contract',
  summary: 'Write the API documents and reference pages in docs/ from the code that they describe.',
  options: {
    check: { type: 'boolean', description: 'change nothing; exit 1 when the file is not what the code says' },
  },
  examples: ['parley contract', 'parley contract --check'],
  run: async ({ flags, note }) => {
    const app = await createGraph();
    const commands = app.get(CommandRegistry, { strict: false });
    commands.onModuleInit();
    const openapi = await createOpenApi(app, packageVersion(), await schemaNames());
    const asyncapi = createAsyncApi(commands.all(), packageVersion());
    const files = {
      'docs/openapi.json': json(openapi),
      'docs/asyncapi.json': json(asyncapi),
      'docs/llms.txt': llmsText(openapi, asyncapi),
      'docs/guides/configuration.md': configurationPage(),
      'docs/guides/errors.md': errorsPage(),
      'docs/guides/events.md': eventsPage(asyncapi),
      'docs/guides/log-events.md': logEventsPage(),
    };
    let stale = 0;
    for (const [name, text] of Object.entries(files)) {
      const path = join(packageRoot(), name);
      if (flags['check'] !== true) await writeFile(path, text);
      else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
        stale += 1;
        note(`${name} differs from the code; run: npm run contract`);
      }
    }
    return stale === 0 ? 0 : 1;
  },
};
