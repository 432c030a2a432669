import { z } from 'zod';
import type { MediaRow } from '../media.rules.js';

const whole = z.number().int();

export const mediaStates = [
  'pending',
  'uploaded',
  'processing',
  'ready',
  'rejected',
  'quarantined',
  'deleted',
] as const;

/** A file as its owner, and whoever may see it, knows it. */
export const mediaView = z.object({
  id: z.uuid(),
  ownerId: z.uuid(),
  purpose: z.enum(['attachment', 'avatar']),
  name: z.string(),
  /** Found in the content; until then what the owner claimed. */
  mime: z.string(),
  /** Bytes; of an image, after it was written anew. */
  size: whole,
  sha256: z.string().nullable(),
  state: z.enum(mediaStates),
  width: whole.nullable(),
  height: whole.nullable(),
  durationMs: whole.nullable(),
  blurhash: z.string().nullable(),
  /** Names of smaller renditions that can be fetched. */
  variants: z.array(z.string()),
  createdAt: z.iso.datetime(),
});
export type MediaView = z.output<typeof mediaView>;

export const toMediaView = (row: MediaRow): MediaView => ({
  id: row.id,
  ownerId: row.ownerId,
  purpose: row.purpose,
  name: row.name,
  mime: row.mime ?? row.mimeClaimed,
  size: row.size,
  sha256: row.sha256,
  state: row.state,
  width: row.width,
  height: row.height,
  durationMs: row.durationMs,
  blurhash: row.blurhash,
  variants: row.variants.map(({ variant }) => variant),
  createdAt: row.createdAt.toISOString(),
});
