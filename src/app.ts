import { createServer, type RequestListener, type Server } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { type AppContext, AppModule } from './app.module.js';
import { type Config, loadConfig } from './platform/config/config.js';
import { packageVersion } from './platform/config/package-root.js';
import { newId } from './platform/clock/clock.js';
import { DatabaseService } from './platform/database/database.service.js';
import { Bus } from './platform/events/bus.js';
import { configureHttp } from './platform/http/configure-http.js';
import { BackgroundWork } from './platform/lifecycle/background-work.js';
import { BootState } from './platform/lifecycle/boot-state.js';
import { createLog } from './platform/logging/create-log.js';
import { NestLog } from './platform/logging/nest-log.js';
import { GatedIoAdapter } from './platform/realtime/gated-io.adapter.js';
import { Connections } from './platform/realtime/connections.js';
import { drain } from './platform/lifecycle/drain.js';

export interface App {
  nest: NestExpressApplication;
  handler: RequestListener;
  /** The orderly stop: not ready, wait, background off, sockets away, requests finished, pools closed. */
  stop: () => Promise<void>;
  /** Closes what a failed boot has opened. */
  abandon: () => Promise<void>;
}

/** Nest on a server that somebody else has created and bound: nothing is listened to here. */
class PreboundExpress extends ExpressAdapter {
  constructor(private readonly prebound: Server) {
    super();
  }
  override initHttpServer(): void {
    this.httpServer = this.prebound;
  }
}

/** Builds the application, runs every init and bootstrap hook and attaches the sockets. The caller swaps the handler in. */
export async function createApp(context: AppContext): Promise<App> {
  const { config, log, boot, server } = context;
  const nest = await NestFactory.create<NestExpressApplication>(
    AppModule.register(context),
    new PreboundExpress(server),
    {
      abortOnError: false,
      logger: new NestLog(log.pino),
      bodyParser: false,
    },
  );
  try {
    // One turn, so that the connection is under way while the rest of this is work for the processor.
    nest.get(Bus).prepare();
    await turn();
    configureHttp(nest, config);
    const io = new GatedIoAdapter(nest, config);
    nest.useWebSocketAdapter(io);
    try {
      await nest.init();
    } finally {
      nest.get(DatabaseService).serve();
    }
    if (config.ROLE !== 'worker') io.attachTo(server);
    return {
      nest,
      handler: nest.getHttpAdapter().getInstance() as RequestListener,
      stop: () =>
        drain({
          config,
          log,
          boot,
          server,
          background: nest.get(BackgroundWork),
          sockets: nest.get(Connections),
          close: () => nest.close(),
        }),
      abandon: () => nest.close(),
    };
  } catch (error) {
    await nest.close().catch(() => undefined);
    throw error;
  }
}

/**
 * The module graph without any I/O: nothing is initialised and no database is asked. For documents made from the code;
 * and for commands, which bring the configuration and open the database themselves.
 */
export async function createGraph(given?: Config): Promise<INestApplication> {
  const nowhere = 'postgresql://nobody@localhost:1/none';
  const config =
    given ?? (await loadConfig({ DATABASE_URL: nowhere, APP_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent' }));
  const context: AppContext = {
    config,
    log: await createLog({ level: 'silent', pretty: false, base: {} }),
    boot: new BootState(packageVersion()),
    database: { url: nowhere, directUrl: nowhere, signal: new AbortController().signal },
    server: createServer(),
    replicaId: newId(),
  };
  return NestFactory.create(AppModule.register(context), { logger: false });
}
