import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { uuid } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';
import { messageView, reactionView } from './message.view.js';
import { attachmentIds, mentionIds, messageBody, messageMeta, seq } from './send-message.dto.js';

const rev = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const editFields = {
  body: messageBody.optional(),
  meta: messageMeta.optional(),
  mentions: mentionIds.optional(),
  attachmentIds: attachmentIds.optional(),
  /** Refuses with stale_rev when the message has changed since. */
  ifRev: rev.optional(),
};
const somethingToDo = (input: Record<string, unknown>) =>
  ['body', 'meta', 'mentions', 'attachmentIds'].some((name) => input[name] !== undefined);
const nothing = { message: 'body, meta, mentions or attachmentIds is needed', params: { code: 'required' } };

export const editMessageBody = z.strictObject(editFields).refine(somethingToDo, nothing);
export type EditFields = z.output<typeof editMessageBody>;

/** Socket: `message.edit`. */
export const editMessage = z.strictObject({ c: uuid, seq, ...editFields }).refine(somethingToDo, nothing);
export type EditMessage = z.output<typeof editMessage>;

export const deleteMessageQuery = z.strictObject({
  ifRev: wholeNumber(0).optional(),
});
export type DeleteMessageQuery = z.output<typeof deleteMessageQuery>;

/** Socket: `message.delete`. */
export const deleteMessage = z.strictObject({ c: uuid, seq, ifRev: rev.optional() });
export type DeleteMessage = z.output<typeof deleteMessage>;

export const changedView = z.object({ message: messageView, changed: z.boolean() });

// Emoji come as one or several code points; names between colons pass as well. Blanks and controls do not.
export const emoji = z
  .string()
  .refine((text) => text.isWellFormed() && !/[\s\p{Cc}]/u.test(text) && /[\p{L}\p{N}\p{P}\p{S}]/u.test(text), {
    message: 'An emoji',
    params: { code: 'invalid_emoji' },
  })
  .refine((text) => Buffer.byteLength(text) <= 64, { message: 'At most 64 bytes', params: { code: 'too_long' } });

/** Socket: `reaction.set`. */
export const setReaction = z.strictObject({ c: uuid, seq, emoji, on: z.boolean() });
export type SetReaction = z.output<typeof setReaction>;

export const reactionsView = z.object({
  rev: z.number().int(),
  reactions: z.array(reactionView),
  /** Emojis of the reader. */
  mine: z.array(z.string()),
  changed: z.boolean(),
});
export type ReactionsView = z.output<typeof reactionsView>;

export const reactionListQuery = pageQuery.extend({ emoji: emoji.optional() });
export type ReactionListQuery = z.output<typeof reactionListQuery>;
export const reactorView = z.object({ userId: z.uuid(), emoji: z.string(), at: z.iso.datetime() });
export const pinView = z.object({ rev: z.number().int(), changed: z.boolean() });
