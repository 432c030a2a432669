import { z } from 'zod';

const WEEK = 604_800;
const YEAR = 31_536_000;

export const createInvite = z.strictObject({
  expiresInSec: z.number().int().min(60).max(YEAR).default(WEEK),
  maxUses: z.number().int().min(1).max(100_000).nullable().default(null),
  role: z.enum(['member', 'admin']).default('member'),
});
export type CreateInvite = z.output<typeof createInvite>;

/** What a link carries, opaque to its readers. Only its hash is looked up, so whatever is none of ours is just not found. */
export const inviteCode = z.string().min(1).max(256);
