import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether the given secret is the expected one, in a time that tells nothing; false while either is missing. */
export const sameSecret = (given: string | undefined, expected: string | undefined): boolean =>
  given !== undefined && expected !== undefined && timingSafeEqual(digest(given), digest(expected));

/** What a secret can be recognised by, and not be read from. */
export const digestOf = (secret: string): string => digest(secret).toString('base64url');
