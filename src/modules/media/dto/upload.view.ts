import { z } from 'zod';

/** Where and how to send the bytes. post: a form of `fields`, then `file`. put: the bytes as they are, with `headers`. */
export const uploadView = z.object({
  mediaId: z.uuid(),
  strategy: z.enum(['post', 'put']),
  method: z.enum(['POST', 'PUT']),
  url: z.string(),
  fields: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  maxBytes: z.number().int(),
  expiresAt: z.iso.datetime(),
});
export type UploadView = z.output<typeof uploadView>;

/** A link that shows one rendition to whoever holds it, until it expires. */
export const linkView = z.object({ url: z.string(), expiresAt: z.iso.datetime() });
export type LinkView = z.output<typeof linkView>;
