import { createHash } from 'node:crypto';
import type { LimitExceeded } from '../../platform/ratelimit/rate-limiter.js';

export interface Violation {
  /** Made from rule, key and minute: whoever counts the same adds to the same row. */
  id: string;
  /** The start of the minute. */
  at: Date;
  rule: string;
  route: string;
  keyHash: string;
  userId: string | null;
  ipHash: string;
  count: number;
}

const MINUTE_MS = 60_000;
/** Rules that count by address. */
const byAddress = new Set(['anon', 'login.ip', 'otp.ip', 'register', 'handshake']);

/** The row a refusal belongs to; `count` is 0. */
export function violationOf({ rule, route, keyHash, userId }: LimitExceeded, at: number): Violation {
  const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  return {
    id: nameToId(`${rule} ${keyHash} ${minute}`),
    at: new Date(minute),
    rule,
    route: route ?? '',
    keyHash,
    userId,
    ipHash: byAddress.has(rule) ? keyHash : '',
    count: 0,
  };
}

/** A UUID of version 8 (RFC 9562, 5.8) from a hash. */
function nameToId(name: string): string {
  const hash = createHash('sha256').update(name).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
