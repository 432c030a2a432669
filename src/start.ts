import type { RequestListener, Server } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { App } from './app.js';
import { appSecret } from './platform/config/installation-secrets.js';
import { type Config, loadConfig } from './platform/config/config.js';
import { EarlyPool } from './platform/database/early-pool.js';
import type { DatabaseContext } from './platform/database/schema-gate.js';
import { followPassword } from './platform/database/lifecycle/connection-url.js';
import { SchemaLifecycle } from './platform/database/schema-lifecycle.js';
import { surviveDefects } from './platform/errors/report-unexpected.js';
import type { BootState } from './platform/lifecycle/boot-state.js';
import { createLog } from './platform/logging/create-log.js';
import type { Log } from './platform/logging/log.js';
import { metrics } from './platform/logging/metrics.js';
import { newId } from './platform/clock/clock.js';

export interface StartContext {
  boot: BootState;
  server: Server;
  signal: AbortSignal;
}

export interface Running {
  handler: RequestListener;
  /** Says that the process serves, in log and on the terminal. */
  announce(): void;
  stop(): Promise<void>;
}

const APPLICATION_INIT = 21;

/** Everything between the bound port and the first answered request. */
export async function start({ boot, server, signal }: StartContext): Promise<Running> {
  const config = await loadConfig(process.env);
  const replicaId = newId();
  const log = await createLog({
    level: config.LOG_LEVEL,
    file: config.LOG_FILE,
    pretty: process.stdout.isTTY === true,
    base: { replica: replicaId.slice(-12), version: boot.version },
    traced: config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
  });
  for (const warning of config.warnings) log.warn('config.unknown', {}, warning);
  appSecret(config);
  const opening = openDatabase(config, log, boot, signal);
  const application = loadApplication(opening);
  application.catch(() => undefined);
  const database = await opening;
  boot.enter('creating');
  let app: App | undefined;
  try {
    const { createApp } = await application;
    app = await createApp({ config, log, boot, server, database, replicaId });
    signal.throwIfAborted();
  } catch (error) {
    await database.lifecycle?.abandon();
    await database.pool?.end();
    await (app ? app.abandon() : database.stopServer?.());
    throw withExitCode(error);
  }
  surviveDefects(log);
  return { handler: app.handler, announce: () => announce(config, log, boot, server), stop: app.stop };
}

/** How long the application may wait for the database before it loads on. */
const HEAD_START_MS = 50;

/**
 * Loading blocks the event loop, so the database goes first: it is called before the framework loads, gets a turn after
 * each part of it, and looks at the schema while our own modules load.
 */
async function loadApplication(opening: Promise<DatabaseContext>): Promise<typeof import('./app.js')> {
  for (const load of [
    () => import('@nestjs/common'),
    () => import('@nestjs/core'),
    () => import('@nestjs/platform-express'),
    () => import('./platform/realtime/gated-io.adapter.js'),
  ]) {
    await load();
    await turn();
  }
  const database = await Promise.race([opening, turn()]);
  await database?.lifecycle?.underWay(HEAD_START_MS);
  return import('./app.js');
}

/** A module that cannot be built or does not start ends the boot with 21; errors that know their code keep it. */
function withExitCode(error: unknown): unknown {
  if (!(error instanceof Error) || 'exitCode' in error) return error;
  return Object.assign(error, { exitCode: APPLICATION_INIT });
}

/** Without DATABASE_URL a PostgreSQL of our own. */
async function openDatabase(config: Config, log: Log, boot: BootState, signal: AbortSignal): Promise<DatabaseContext> {
  const toward = (urls: { url: string; directUrl: string }): DatabaseContext => {
    const lifecycle = new SchemaLifecycle({ config, log, version: boot.version, urls, signal });
    const context = { ...urls, signal, lifecycle };
    // Another URL may lead to a pooler, of which only the gate finds out.
    if (urls.url !== urls.directUrl) return context;
    return { ...context, pool: new EarlyPool(config, urls.url, log, lifecycle.connected) };
  };
  if (config.DATABASE_URL) {
    for (const name of ['DATABASE_URL', 'DATABASE_DIRECT_URL'] as const) {
      const [url, read] = [config[name], config.follow(name)];
      if (url && read) followPassword(url, read);
    }
    return toward({ url: config.DATABASE_URL, directUrl: config.DATABASE_DIRECT_URL ?? config.DATABASE_URL });
  }
  boot.enter('embedded');
  const { startEmbedded } = await import('./platform/database/embedded-postgres.js');
  const embedded = await startEmbedded({
    dir: config.EMBEDDED_PG_DIR ?? join(config.DATA_DIR, 'pg'),
    signal,
    log: (event, fields) => log.info(event, { ...fields }),
  });
  const keep = config.EMBEDDED_PG_KEEP ? {} : { stopServer: () => embedded.stop() };
  return { ...toward({ url: embedded.url, directUrl: embedded.url }), ...keep };
}

function announce(config: Config, log: Log, boot: BootState, server: Server): void {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.PORT;
  metrics.bootPhase.set({ phase: boot.phase }, 1);
  for (const { phase, ms } of boot.finished) metrics.bootPhaseSeconds.set({ phase }, ms / 1000);
  metrics.bootReadySeconds.set(performance.now() / 1000);
  log.info('boot.services.ready', {}, 'ALL SERVICES INITIALIZED SUCCESSFULLY');
  log.info('boot.completed', { ms: Math.round(performance.now()) }, 'APPLICATION STARTUP COMPLETED SUCCESSFULLY');
  log.info('boot.listening', { port }, `Server listening on port ${port}`);
  log.info('boot.ready', { phases: boot.finished });
  log.info('boot.serving', { url: `http://localhost:${port}` }, 'Application is ready to serve requests');
}
