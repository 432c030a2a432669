import { join } from 'node:path';
import { cloneDatabase } from '../support/database.js';
import { type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

/** The built server with the demo on, watched over as `npm start` does, on a database of its own. */
export async function startDemoServer(
  environment: Record<string, string> = {},
): Promise<{ server: ServerProcess; stop: () => Promise<void> }> {
  const [database, folder] = await Promise.all([cloneDatabase(), temporaryFolder()]);
  const server = await startServerProcess(
    {
      DATABASE_URL: database.url,
      DEMO_ENABLED: 'true',
      APP_SECRET: 'test-secret-test-secret-test-secret-test',
      DATA_DIR: folder.path,
      MEDIA_DIR: join(folder.path, 'media'),
      LOG_LEVEL: 'warn',
      ...environment,
    },
    { entry: join(import.meta.dirname, 'supervised-server.mjs') },
  );
  return {
    server,
    stop: async () => {
      await server.stop();
      await database.drop();
      await folder.remove();
    },
  };
}
