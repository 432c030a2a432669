import { hostname } from 'node:os';

import type { ClientConfig } from 'pg';
import { Client } from 'pg';

import type { BootRun } from './boot-run.js';
import { clientConfig, targetOf } from './connection-url.js';
import type { ConnectionTarget, Diagnosis } from './diagnose.js';
import { diagnose } from './diagnose.js';
import { LifecycleError } from './errors.js';
import { Session } from './session.js';
import { defaultSettings, type LifecycleOptions } from './types.js';
import { backoff, orAborted, wait } from './wait.js';

/** PostgreSQL cuts application_name at 63 bytes; the step ("12/40") that is appended must stay visible. */
export function applicationName(options: LifecycleOptions): string {
  const plain = (text: string, length: number): string => text.replaceAll(/[^\w.-]/g, '-').slice(0, length);
  return `parley/lifecycle/${plain(options.host ?? hostname(), 24)}/${plain(options.appVersion, 12)}`;
}

/**
 * Bare on purpose: PgBouncer rejects `options` and timeouts as startup parameters, so everything else is set by
 * statements once it is known what is at the other end.
 */
function bareConfig(options: LifecycleOptions): ClientConfig {
  return {
    ...clientConfig(options.connectionString, options.urlSource ?? 'DATABASE_URL'),
    application_name: applicationName(options),
    connectionTimeoutMillis: options.settings?.connectTimeoutMs ?? defaultSettings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** One attempt, without any statement. Start it while the application loads; `runLifecycle` takes it from there. */
export async function openConnection(options: LifecycleOptions): Promise<Client> {
  const client = new Client(bareConfig(options));
  // Whoever waits for connect() gets the error; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** A session on a connection made by `openConnection`. */
export const sessionOf = (run: BootRun, client: Client): Session =>
  new Session(run, client, bareConfig(run.options), applicationName(run.options));

/** Connects with retries up to the deadline. Refused credentials, a missing database and the like fail at once. */
export async function connect(run: BootRun): Promise<Session> {
  const { options } = run;
  const target = targetOf(bareConfig(options), options.urlSource ?? 'DATABASE_URL');
  return persistently(run, target, async (attempt) => {
    const early = attempt === 1 ? run.takeEarlyConnection() : undefined;
    const client = await abortable(early ?? openConnection(options), run.signal);
    return sessionOf(run, client);
  });
}

/**
 * Tries until the database answers or the deadline passes. A fault that will not pass by itself ends it at once;
 * `isForeign` lets one through untouched that is no matter of the connection.
 */
export async function persistently<T>(
  run: BootRun,
  target: ConnectionTarget,
  work: (attempt: number) => Promise<T>,
  isForeign: (found: Diagnosis) => boolean = () => false,
): Promise<T> {
  const { settings } = run;
  for (let attempt = 1; ; attempt++) {
    run.signal.throwIfAborted();
    run.connectAttempts = attempt;
    try {
      return await work(attempt);
    } catch (error) {
      run.signal.throwIfAborted();
      const found = diagnose(error, target);
      if (isForeign(found)) throw error;
      const failure = connectError(found, target, attempt, error);
      if (!found.retryable) {
        run.report({ event: 'db.connect_fatal', attempt, ...described(found), hint: found.hint });
        throw failure;
      }
      const delayMs = Math.round(backoff(attempt - 1, { base: settings.connectDelayMs, floor: 250, cap: 5_000 }));
      const loud = attempt >= settings.connectMaxRetries;
      const hint = loud ? found.hint : undefined;
      run.report({ event: 'db.connect_retry', attempt, ...described(found), delayMs, hint }, loud ? 'error' : 'warn');
      run.detail({ attempt, class: found.class, code: found.code, hint: found.hint });
      run.waitFor(failure);
      await wait(delayMs, run.signal);
    }
  }
}

const described = (found: Diagnosis): { class: string; code?: string; error: string } => ({
  class: found.class,
  code: found.code,
  error: found.message,
});

export function connectError(
  found: Diagnosis,
  target: ConnectionTarget,
  attempts: number,
  cause: unknown,
): LifecycleError {
  const code = [found.code, found.prismaCode].filter(Boolean).join('/');
  return new LifecycleError(
    'connect',
    `cannot connect as "${target.user}" to database "${target.database}" at ${target.host} (${target.source}): ${found.message}${code ? ` [${code}]` : ''}`,
    {
      hint: found.hint,
      code: found.code ?? found.prismaCode,
      cause,
      details: { ...target, class: found.class, attempts },
    },
  );
}

/** An abort does not wait for a connection attempt; a connection that then still comes up is closed. */
async function abortable(attempt: Promise<Client>, signal: AbortSignal): Promise<Client> {
  try {
    return await orAborted(attempt, signal);
  } catch (error) {
    if (signal.aborted) attempt.then((client) => client.end()).catch(() => undefined);
    throw error;
  }
}
