import { z } from 'zod';

/** A file of a message. Media makes these; see `AttachmentReader`. */
export const attachmentView = z.object({
  mediaId: z.uuid(),
  name: z.string(),
  mime: z.string(),
  /** Bytes. */
  size: z.number().int(),
  width: z.number().int().nullable(),
  height: z.number().int().nullable(),
  durationMs: z.number().int().nullable(),
  blurhash: z.string().nullable(),
  /** Names of smaller renditions that can be fetched. */
  variants: z.array(z.string()),
  state: z.string(),
});
export type AttachmentView = z.output<typeof attachmentView>;
