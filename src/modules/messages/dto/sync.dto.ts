import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';
import { conversationDetailView } from '../../conversations/dto/conversation.view.js';
import { meView } from '../../conversations/dto/me.view.js';
import { headView } from './history.dto.js';

const MAX_HEADS = 2000;
export const position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const limit = z.number().int().min(1).max(100).default(100);

/** What a client has, and asks to be brought up to date. */
export const syncRequest = z.strictObject({
  /** Of the last answer; another one makes the server ignore all positions. */
  epoch: uuid.optional(),
  userRev: position.default(0),
  /** Last applied rev by conversation. */
  heads: z
    .record(uuid, position)
    .default({})
    .refine((heads) => Object.keys(heads).length <= MAX_HEADS, {
      message: `At most ${MAX_HEADS} conversations`,
      params: { code: 'too_long' },
    }),
  /** Changes per conversation. */
  limit,
  /** From the answer before. */
  cursor: z.string().optional(),
});
export type SyncRequest = z.output<typeof syncRequest>;

/** Socket: `changes`. */
export const changesRequest = z.strictObject({ c: uuid, after: position, limit });
export type ChangesRequest = z.output<typeof changesRequest>;

/** Socket: `user.changes`. */
export const userChangesRequest = z.strictObject({ after: position, limit });
export type UserChangesRequest = z.output<typeof userChangesRequest>;

/** REST: the conversation is in the path. */
export const changesQuery = z.strictObject({
  after: wholeNumber(0),
  limit: wholeNumber(1, 100).prefault(100),
});
export type ChangesQuery = z.output<typeof changesQuery>;

export const changeView = z.object({
  rev: z.number().int(),
  t: z.enum(['message', 'member', 'conversation', 'thread']),
  v: z.unknown(),
});
export type ChangeView = z.output<typeof changeView>;

export const userChangeView = z.object({
  rev: z.number().int(),
  t: z.enum([
    'membership',
    'profile',
    'preferences',
    'contact',
    'block',
    'draft',
    'scheduled',
    'notification',
    'device',
  ]),
  v: z.unknown(),
});
export type UserChangeView = z.output<typeof userChangeView>;

export const changesView = z.object({
  c: z.uuid(),
  changes: z.array(changeView),
  /** Position after applying the changes. */
  upTo: z.number().int(),
  /** Whether to ask again with `after = upTo`. */
  more: z.boolean(),
  head: headView,
  me: meView,
});
export type ChangesView = z.output<typeof changesView>;

export const userChangesView = z.object({
  changes: z.array(userChangeView),
  upTo: z.number().int(),
  more: z.boolean(),
});
export type UserChangesView = z.output<typeof userChangesView>;

export const receiptTuple = z.tuple([z.uuid(), z.number().int(), z.number().int()]);

/** One conversation of a sync answer, all of it from one snapshot. */
export const syncEntryView = z.object({
  id: z.uuid(),
  head: headView,
  me: meView,
  upTo: z.number().int(),
  /** True when `changes` is the newest page and the client must drop what it had. */
  limited: z.boolean(),
  conversation: conversationDetailView.nullable(),
  changes: z.array(changeView),
  /** `[userId, delivered, read]` */
  receipts: z.array(receiptTuple).nullable(),
});
export type SyncEntryView = z.output<typeof syncEntryView>;

export const syncView = z.object({
  epoch: z.uuid(),
  reset: z.boolean(),
  userRev: z.number().int(),
  user: z.array(userChangeView),
  userMore: z.boolean(),
  gone: z.array(z.uuid()),
  cursor: z.string().nullable(),
  conversations: z.array(syncEntryView),
});
export type SyncView = z.output<typeof syncView>;
