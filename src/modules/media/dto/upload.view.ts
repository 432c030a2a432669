import { z } from 'zod';

/**
 * Where and how to send the bytes. post: a form of `fields`, then `file`. put: the bytes as they are, with `headers`.
 * multipart: `url` lists links, each for a PUT of one part.
 */
export const uploadView = z.object({
  mediaId: z.uuid(),
  strategy: z.enum(['post', 'put', 'multipart']),
  method: z.enum(['POST', 'PUT']),
  url: z.string(),
  fields: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  maxBytes: z.number().int(),
  expiresAt: z.iso.datetime(),
});
export type UploadView = z.output<typeof uploadView>;

/** Parts of a large upload, numbered from 1; each is `size` bytes, in order. Without `url` a part is there. */
export const partsView = z.object({
  items: z.array(z.object({ number: z.number().int(), size: z.number().int(), url: z.string().nullable() })),
  /** Of the whole file. */
  count: z.number().int(),
  /** Bytes of each part but the last. */
  partBytes: z.number().int(),
  /** Of these links. */
  expiresAt: z.iso.datetime(),
});
export type PartsView = z.output<typeof partsView>;

/** A link that shows one rendition to whoever holds it, until it expires. */
export const linkView = z.object({ url: z.string(), expiresAt: z.iso.datetime() });
export type LinkView = z.output<typeof linkView>;
