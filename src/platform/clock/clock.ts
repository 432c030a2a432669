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

/** UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then randomness; sorts by creation time. */
export function newId(): string {
  const bytes = source.bytes(16);
  bytes.writeUIntBE(source.epochMs(), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
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
