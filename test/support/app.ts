import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp, type App } from '../../src/app.js';
import { newId } from '../../src/platform/clock/clock.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { BootState } from '../../src/platform/lifecycle/boot-state.js';
import { httpTimeouts } from '../../src/platform/lifecycle/listener.js';
import { createLog } from '../../src/platform/logging/create-log.js';
import { cloneDatabase } from './database.js';

export interface TestApp {
  app: App;
  /** http://127.0.0.1:port */
  url: string;
  /** Of the database, for further replicas and direct looks. */
  databaseUrl: string;
  close(): Promise<void>;
}

/** The whole application on a free port and a database of its own; a second one on `databaseUrl` is a second replica. */
export async function createTestApp(
  environment: Record<string, string> = {},
  options: { databaseUrl?: string } = {},
): Promise<TestApp> {
  const database = options.databaseUrl ? undefined : await cloneDatabase();
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  const config = await loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    LOG_LEVEL: 'silent',
    RATE_SCALE: '1000',
    NOTIFY_DELAY_MS: '0',
    // A busy machine is no reason to refuse what a test asks for.
    LOAD_SHEDDING: 'false',
    ...environment,
  });
  const boot = new BootState('0.0.0-test');
  const log = await createLog({
    level: config.LOG_LEVEL,
    file: config.LOG_FILE,
    fileOnly: true,
    pretty: false,
    base: {},
  });
  let handler: App['handler'] | undefined;
  const server: Server = createServer(httpTimeouts, (request, response) => handler?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const app = await createApp({
    config,
    log,
    boot,
    server,
    replicaId: newId(),
    database: { url: databaseUrl, directUrl: databaseUrl, signal: new AbortController().signal },
  });
  handler = app.handler;
  boot.enter('ready');
  return {
    app,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    databaseUrl,
    close: async () => {
      await app.stop();
      await database?.drop();
    },
  };
}
