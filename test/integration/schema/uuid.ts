import { randomBytes } from 'node:crypto';

let last = Date.now();

/** A UUIDv7, each above the one before: the clock part moves by one at least. */
export function v7(): string {
  last = Math.max(last + 1, Date.now());
  const hex = last.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
