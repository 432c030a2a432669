import type { RequestListener, Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.js';
import { Config } from './platform/config/config.js';
import type { DatabaseContext } from './platform/database/schema-gate.js';
import { configureHttp } from './platform/http/configure-http.js';
import { BackgroundWork } from './platform/lifecycle/background-work.js';
import type { BootState } from './platform/lifecycle/boot-state.js';
import type { Log } from './platform/logging/log.js';
import { GatedIoAdapter } from './platform/realtime/gated-io.adapter.js';
import { Connections } from './platform/realtime/connections.js';
import { drain } from './platform/lifecycle/drain.js';

export interface AppContext {
  config: Config;
  log: Log;
  boot: BootState;
  /** Bound already; the application attaches to it. */
  server: Server;
  database: DatabaseContext;
  /** New at each boot. */
  replicaId: string;
}

export interface App {
  nest: NestExpressApplication;
  handler: RequestListener;
  /** The orderly stop: not ready, wait, background off, sockets away, requests finished, pools closed. */
  stop(): Promise<void>;
  /** Closes what a failed boot has opened. */
  abandon(): Promise<void>;
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
  const nest = await NestFactory.create<NestExpressApplication>(AppModule.register(context), new PreboundExpress(server), {
    abortOnError: false,
    bufferLogs: true,
    bodyParser: false,
  });
  try {
    nest.useLogger(nest.get(Logger));
    configureHttp(nest, config);
    const io = new GatedIoAdapter(nest, config);
    nest.useWebSocketAdapter(io);
    await nest.init();
    if (config.ROLE !== 'worker') io.attachTo(server);
    return {
      nest,
      handler: nest.getHttpAdapter().getInstance() as RequestListener,
      stop: () =>
        drain({ config, log, boot, server, background: nest.get(BackgroundWork), sockets: nest.get(Connections), close: () => nest.close() }),
      abandon: () => nest.close(),
    };
  } catch (error) {
    await nest.close().catch(() => undefined);
    throw error;
  }
}
