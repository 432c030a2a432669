import type { Config } from '../config/config.js';
import {
  HEADS_INTERVAL_MS,
  HEADS_MAX,
  MENTIONS_MAX,
  PAGE_MAX,
  PING_INTERVAL_MS,
  PING_TIMEOUT_MS,
  PRESENCE_BATCH_MS,
  PROTOCOL,
  RECEIPT_FLUSH_MS,
  TYPING_TTL_MS,
  WATCH_MAX,
} from './protocol.js';
import type { Client } from './sockets.js';

export interface ReadyFacts {
  epoch: string;
  replicaId: string;
  /** Position of the user's feed from which this socket is told changes. */
  userRev: number;
  serverTime: Date;
}

/** The first event on every socket: who it is, where it stands, what it may send and how often it will hear. */
export const readyView = (config: Config, { actor, deviceId }: Client, facts: ReadyFacts) => ({
  epoch: facts.epoch,
  userId: actor.userId,
  deviceId,
  sessionId: actor.sessionId,
  replicaId: facts.replicaId,
  protocol: PROTOCOL,
  serverTime: facts.serverTime.toISOString(),
  userRev: facts.userRev,
  limits: {
    messageChars: config.MESSAGE_MAX_CHARS,
    frameBytes: config.WS_FRAME_MAX,
    attachments: config.MESSAGE_MAX_ATTACHMENTS,
    mentions: MENTIONS_MAX,
    pageMax: PAGE_MAX,
    headsMax: HEADS_MAX,
    watchMax: WATCH_MAX,
  },
  intervals: {
    pingMs: PING_INTERVAL_MS,
    pongMs: PING_TIMEOUT_MS,
    antiEntropyMs: config.ANTI_ENTROPY_MS,
    headsMs: HEADS_INTERVAL_MS,
    typingTtlMs: TYPING_TTL_MS,
    receiptFlushMs: RECEIPT_FLUSH_MS,
    presenceBatchMs: PRESENCE_BATCH_MS,
  },
});
