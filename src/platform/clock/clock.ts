import { randomBytes, randomInt } from 'node:crypto';

/**
 * The only source of time, ids and randomness in product code, so that tests can fix all three. Order in Parley never
 * depends on this clock: sequence numbers come from PostgreSQL.
 */
interface Source {
  /** Milliseconds since the Unix epoch. */
  epochMs: () => number;
  bytes: (size: number) => Buffer;
}

/** A call for a few bytes costs as much as one for a page, and every message needs several ids. Secrets are never taken from it. */
const ID_BYTES = 16;
const PAGE = 4096;
let page = Buffer.alloc(0);

function pooledBytes(size: number): Buffer {
  if (size > ID_BYTES) return randomBytes(size);
  if (page.length < size) page = randomBytes(PAGE);
  const bytes = page.subarray(0, size);
  page = page.subarray(size);
  return bytes;
}

const system: Source = { epochMs: () => Date.now(), bytes: pooledBytes };
let source: Source = system;

export const now = (): Date => new Date(source.epochMs());
export const epochMs = (): number => source.epochMs();
/** Milliseconds on a clock that never goes back; only differences mean anything. */
export const monotonicMs = (): number => performance.now();

const COUNTER_MAX = 0xfff;
/** A clock set back by more than this was wrong before; ids follow it. */
const CORRECTED_BY_MS = 10_000;
let idMs = 0;
let idCounter = 0;

/**
 * UUIDv7 (RFC 9562, 5.7) that sorts after every earlier one of this process: 48 bits of milliseconds, a 12-bit counter
 * that starts at random within each millisecond (6.2, method 1), 62 bits of randomness.
 */
export function newId(): string {
  const bytes = source.bytes(16);
  stepId(source.epochMs(), bytes.readUInt16BE(6));
  bytes.writeUIntBE(idMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | idCounter, 6);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A counter that is used up borrows the next millisecond; a clock that goes back a little is waited for. */
function stepId(ms: number, random: number): void {
  const wrongBefore = idMs - ms > CORRECTED_BY_MS;
  if (ms <= idMs && !wrongBefore && idCounter < COUNTER_MAX) {
    idCounter += 1;
    return;
  }
  idMs = ms > idMs || wrongBefore ? ms : idMs + 1;
  // The upper half stays free for what follows.
  idCounter = random & (COUNTER_MAX >> 1);
}

/** `size` random bytes as base64url: a secret that fits into a URL. */
export const newSecret = (size = 32): string => source.bytes(size).toString('base64url');
export const randomBuffer = (size: number): Buffer => source.bytes(size);
/** `digits` decimal digits from a cryptographic source, zeros in front included. */
export const newCode = (digits: number): string => String(randomInt(10 ** digits)).padStart(digits, '0');
/** A whole number in [0, max), for spreading work in time; not a secret. */
export const jitter = (max: number): number => (max <= 0 ? 0 : source.bytes(4).readUInt32BE(0) % Math.ceil(max));

/** Tests only: replaces time or randomness until the returned function is called. */
export function fixClock(replacement: Partial<Source>): () => void {
  source = { ...system, ...replacement };
  return () => {
    source = system;
  };
}
