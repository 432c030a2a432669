import './resolve-sources.cjs';
import { join } from 'node:path';
import { startEmbedded } from '../../src/platform/database/embedded-postgres.js';
import { create, TEMPLATE } from './database.js';
import { migrateTemplate } from './template.js';
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
    await migrateTemplate(template.url);
  } catch (error) {
    await removeRun(folder); // Jest calls no teardown after a failed setup
    throw error;
  }
}
