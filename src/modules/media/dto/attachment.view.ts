import { z } from 'zod';
import type { MediaRow } from '../media.rules.js';
import { mediaView, toMediaView } from './media.view.js';

/** A file as a message shows it. */
export const attachmentView = mediaView
  .pick({
    name: true,
    mime: true,
    size: true,
    width: true,
    height: true,
    durationMs: true,
    blurhash: true,
    variants: true,
    state: true,
  })
  .extend({ mediaId: z.uuid() });
export type AttachmentView = z.output<typeof attachmentView>;

export function toAttachmentView(row: MediaRow): AttachmentView {
  const { id, name, mime, size, width, height, durationMs, blurhash, variants, state } = toMediaView(row);
  return { mediaId: id, name, mime, size, width, height, durationMs, blurhash, variants, state };
}
