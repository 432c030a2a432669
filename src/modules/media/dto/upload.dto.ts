import { z } from 'zod';
import { line } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';

/** What the owner says of a file before sending it. The content decides in the end. */
export const createUpload = z.strictObject({
  /** Only for people: it never becomes part of a path. */
  name: line(1, 255),
  /** Bytes, exactly. */
  size: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  mime: z
    .string()
    .max(127)
    .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i, 'Not a media type')
    .transform((mime) => mime.toLowerCase()),
  /** Of the bytes that will be sent, hexadecimal; checked when given. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'Not a SHA-256')
    .transform((hash) => hash.toLowerCase())
    .optional(),
  purpose: z.enum(['attachment', 'avatar']).default('attachment'),
});
export type CreateUpload = z.output<typeof createUpload>;

/** Which parts of an upload are asked for. */
export const partsQuery = z.strictObject({
  from: wholeNumber(1, 10_000).default(1),
  limit: wholeNumber(1, 1000).default(100),
});
export type PartsQuery = z.output<typeof partsQuery>;

/** A signed link to one of Parley's own routes. */
export const signedQuery = z.strictObject({
  exp: wholeNumber(0),
  sig: z.string().max(100),
});
export type SignedQuery = z.output<typeof signedQuery>;

export const variantName = z.enum(['original', 'thumb', 'medium']);
export type VariantName = z.output<typeof variantName>;
export const variantQuery = z.strictObject({ variant: variantName.default('original') });
export type VariantQuery = z.output<typeof variantQuery>;
