import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * Runs `work` with the URL of a PostgreSQL that nobody else knows and that is gone afterwards. `work` must not
 * call process.exit.
 */
export const withScratchServer = async (work) => {
  const { startEmbedded } = await import('../../dist/platform/database/embedded-postgres.js').catch((error) => {
    throw new Error('Build first: npm run build', { cause: error });
  });
  const dir = await mkdtemp(join(tmpdir(), 'parley-migration-'));
  const server = await startEmbedded({ dir, log: () => {}, settings: SETTINGS });
  try {
    return await work(server.url);
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
};
