import './resolve-sources.cjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/config/package-root.js';
import { startEmbedded } from '../../src/platform/database/embedded-postgres.js';
import { create, TEMPLATE } from './database.js';
import { DURABILITY_OFF, removeDeadRuns, removeRun, runFolder } from './postgres.js';

/** One server and one template database per run. Workers find them through the environment. */
export default async function globalSetup(): Promise<void> {
  await removeDeadRuns();
  const folder = await runFolder();
  try {
    const settings = { ...DURABILITY_OFF, max_connections: '300', shared_buffers: '64MB', autovacuum: 'off' };
    const { url } = await startEmbedded({ dir: join(folder, 'shared'), log: () => {}, settings });
    process.env.TEST_DATABASE_URL = url;
    const template = await create('template0', TEMPLATE);
    if (!existsSync(join(packageRoot(), 'src/platform/database/lifecycle/run-lifecycle.ts'))) return;
    const { migrateTemplate } = await import('./template.js');
    await migrateTemplate(template.url);
  } catch (error) {
    await removeRun(folder); // Jest calls no teardown after a failed setup
    throw error;
  }
}
