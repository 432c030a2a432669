import type { PushDriver } from '../../../../src/modules/notifications/push/push-driver.js';
import type { Reply } from '../fake-provider.js';

/** What a provider is told to answer from now on. */
export type Mood =
  /** Takes the push. */
  | 'ok'
  /** The device is no more. */
  | 'dead'
  /** Too many at once; again in seven seconds. */
  | 'busy'
  /** Broken inside. */
  | 'down'
  /** More than it takes. */
  | 'too-large'
  | 'silent'
  /** Bytes that are none of its protocol. */
  | 'garbage';

/** A push as the device gets it, once everything on the way has been checked. */
export interface Shown {
  title: string | null;
  body: string | null;
  badge: number | null;
  /** A push with the same one takes the place of this one. */
  collapse: string | undefined;
  /** What the app can read. */
  data: Record<string, unknown>;
  silent: boolean;
}

/** A driver and, on loopback, a server that speaks its provider's wire protocol and takes nothing that breaks it. */
export interface Stage {
  driver: PushDriver;
  /** Of a device that exists. */
  token: string;
  mood(mood: Mood): void;
  /** Everything taken so far. */
  shown(): Promise<Shown[]>;
  close(): Promise<void>;
}

/** Limit of every attempt, in ms: long enough for a busy machine, short enough to wait for. */
export const TIMEOUT_MS = 1500;

/** What most providers say over HTTP/1.1 when all is not well. */
export const httpTrouble: Record<Exclude<Mood, 'ok'>, Reply> = {
  dead: { status: 410 },
  busy: { status: 429, headers: { 'retry-after': '7' } },
  down: { status: 503 },
  'too-large': { status: 413 },
  silent: undefined,
  garbage: { raw: 'SSH-2.0-OpenSSH_9.9\r\n' },
};
