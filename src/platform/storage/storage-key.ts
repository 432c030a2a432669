// Lower-case letters and digits in segments: nothing a file system, a URL or a signature could read in another way. No
// segment is empty or begins with a dot, so no key leaves its root.
const keyPattern = /^[a-z0-9]+(?:\/[a-z0-9]+)*$/;
const MAX_LENGTH = 200;

/** Whether an object can be Parley's; a folder or bucket may hold others. */
export const isKey = (key: string): boolean => key.length <= MAX_LENGTH && keyPattern.test(key);

/** A defect of the caller, never an outage of the store. */
export class InvalidKeyError extends Error {
  constructor() {
    super('not a storage key');
    this.name = 'InvalidKeyError';
  }
}

/** Keys are made by Parley alone; another one is a defect. */
export function assertKey(key: string): string {
  if (!isKey(key)) throw new InvalidKeyError();
  return key;
}

/** A prefix for `list`: empty, or a key and a slash. */
export function assertPrefix(prefix: string): string {
  if (prefix !== '' && !prefix.endsWith('/')) throw new Error('a prefix ends in a slash');
  if (prefix !== '') assertKey(prefix.slice(0, -1));
  return prefix;
}
