/** Numbers and names of protocol version 1 that are the same in every installation. */
export const PROTOCOL = 1;
export const NAMESPACE = '/v1';
export const PING_INTERVAL_MS = 20_000;
export const PING_TIMEOUT_MS = 15_000;
/** A connection outside the namespace is closed after this. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Longest a command may take before its caller is told so. */
export const COMMAND_DEADLINE_MS = 10_000;
export const HEADS_INTERVAL_MS = 30_000;
export const TYPING_TTL_MS = 6000;
export const RECEIPT_FLUSH_MS = 500;
export const PRESENCE_BATCH_MS = 1000;
export const MENTIONS_MAX = 50;
export const PAGE_MAX = 100;
export const HEADS_MAX = 2000;
export const WATCH_MAX = 200;
