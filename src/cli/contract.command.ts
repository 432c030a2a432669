import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { newId } from '../platform/clock/clock.js';
import { loadConfig } from '../platform/config/config.js';
import { packageRoot, packageVersion } from '../platform/config/package-root.js';
import { createOpenApi } from '../platform/http/openapi.js';
import { BootState } from '../platform/lifecycle/boot-state.js';
import { createLog } from '../platform/logging/create-log.js';
import type { CliCommand } from './command-line.js';

/** The module graph without any I/O: nothing is initialised, no database is asked. */
async function createGraph() {
  const config = await loadConfig({ DATABASE_URL: 'postgresql://nobody@localhost:1/none', APP_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent' });
  const log = await createLog({ level: 'silent', pretty: false, base: {} });
  const signal = new AbortController().signal;
  const database = { url: 'postgresql://nobody@localhost:1/none', directUrl: 'postgresql://nobody@localhost:1/none', signal };
  const boot = new BootState(packageVersion());
  return NestFactory.create(AppModule.register({ config, log, boot, database, server: createServer(), replicaId: newId() }), { logger: false });
}

export const contract: CliCommand = {
  name: 'contract',
  summary: 'Write docs/openapi.json from the schemas that validate requests.',
  options: { check: { type: 'boolean', description: 'change nothing; exit 1 when the file is not what the code says' } },
  examples: ['parley contract', 'parley contract --check'],
  run: async ({ flags, note }) => {
    const { readFile } = await import('node:fs/promises');
    const app = await createGraph();
    const files = { 'docs/openapi.json': await createOpenApi(app, packageVersion()) };
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
