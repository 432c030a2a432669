import type { Server } from 'node:http';
import type { Config } from '../config/config.js';
import { monotonicMs } from '../clock/clock.js';
import { metrics } from '../logging/metrics.js';
import type { Log } from '../logging/log.js';
import type { BackgroundWork } from './background-work.js';
import type { BootState } from './boot-state.js';

/** Open sockets, as far as the drain needs to know them. */
export interface DrainableSockets {
  /** Refuses new handshakes with 503. */
  refuse(): void;
  /** Tells every socket when to come back and closes them in batches over `spreadMs`. */
  drain(spreadMs: number): Promise<void>;
}

export interface DrainContext {
  config: Config;
  log: Log;
  boot: BootState;
  server: Server;
  background: BackgroundWork;
  sockets: DrainableSockets;
  /** Runs every shutdown hook; the database closes last in it. */
  close: () => Promise<void>;
}

const WAIT_MS = 10_000;
const SOCKETS_MS = 20_000;
const REQUESTS_MS = 15_000;

/** The stop after READY, in order; each step is timed and logged. Outside production the waits are 0. */
export async function drain({ config, log, boot, server, background, sockets, close }: DrainContext): Promise<void> {
  const begin = monotonicMs();
  const step = async (name: string, work: () => Promise<void> | void): Promise<void> => {
    const startedAt = monotonicMs();
    await work();
    log.info('shutdown.step', { step: name, dur_ms: Math.round(monotonicMs() - startedAt) });
  };
  const waitMs = config.DRAIN_WAIT_MS ?? (config.isProduction ? WAIT_MS : 0);
  boot.enter('draining');
  metrics.bootPhase.reset();
  metrics.bootPhase.set({ phase: boot.phase }, 1);
  sockets.refuse();
  server.on('request', (_request, response) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  });
  await step('wait', () => new Promise<void>((resolve) => setTimeout(resolve, waitMs)));
  await step('background', () => background.stop());
  await step('sockets', () => sockets.drain(config.isProduction ? SOCKETS_MS : 0));
  await step('requests', () => finishRequests(server));
  await step('close', close);
  log.info('shutdown.completed', { dur_ms: Math.round(monotonicMs() - begin) });
  log.pino.flush();
}

/** Waits for requests in flight, at most 15 s, then cuts what is left. */
async function finishRequests(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), REQUESTS_MS);
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(timer);
  clearInterval(idle);
}
