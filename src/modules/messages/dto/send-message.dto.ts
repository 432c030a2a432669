import { z } from 'zod';
import { refuse, uuid } from '../../../platform/http/text.js';

/** Beyond any configuration; the configured limits are checked in messages.rules. */
const MAX_BODY = 100_000;
const MAX_ATTACHMENTS = 100;
const MAX_MENTIONS = 50;
const MAX_META_BYTES = 4096;

// Joiners, direction marks and everything else people's keyboards write stay as they are; NUL no database can hold.
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;
export const hasVisibleCharacter = (text: string): boolean => visible.test(text);

/** Text of a message, kept exactly as written. */
export const messageBody = z
  .string()
  .max(MAX_BODY)
  .superRefine((value, context) => {
    if (value.includes('\0')) refuse(context, 'control_character', 'Contains a NUL character');
    else if (!value.isWellFormed()) refuse(context, 'malformed_text', 'Contains half of a surrogate pair');
  });

/** Free members of a message of kind `custom`. */
export const messageMeta = z.record(z.string().max(64), z.json()).superRefine((value, context) => {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > MAX_META_BYTES) refuse(context, 'too_long', `At most ${MAX_META_BYTES} bytes of JSON`);
  else if (!text.isWellFormed() || /\\u0000|\\ud[89a-f]/.test(text))
    refuse(context, 'malformed_text', 'Contains a NUL character or half of a surrogate pair');
});

export const seq = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const idList = (max: number) =>
  z
    .array(uuid)
    .max(max)
    .transform((ids) => [...new Set(ids)]);
export const mentionIds = idList(MAX_MENTIONS);
export const attachmentIds = idList(MAX_ATTACHMENTS);

/** What a send carries beside the conversation. */
export const sendFields = {
  /** Made once per user action; the same one returns the stored message, for ever. */
  clientId: uuid,
  kind: z.enum(['text', 'custom']).default('text'),
  body: messageBody.optional(),
  meta: messageMeta.optional(),
  replyToSeq: seq.optional(),
  threadId: uuid.optional(),
  attachmentIds: attachmentIds.default([]),
  mentions: mentionIds.default([]),
  mentionAll: z.boolean().default(false),
  silent: z.boolean().default(false),
  /** Whether sending marks the conversation read; false moves the position only if nothing else was unread. */
  markRead: z.boolean().default(true),
  /** Copies body and attachments of a message the sender can see. */
  forwardOf: z.strictObject({ conversationId: uuid, seq }).optional(),
};

/** Members that only make sense together. */
export function checkContent(
  input: {
    kind: string;
    body?: string | undefined;
    meta?: unknown;
    attachmentIds: readonly string[];
    forwardOf?: unknown;
  },
  context: z.RefinementCtx,
): void {
  const at = (path: string, code: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message, params: { code } });
  if (input.kind === 'custom' && input.meta === undefined) at('meta', 'required', 'Required for kind custom');
  if (input.kind !== 'custom' && input.meta !== undefined) at('meta', 'not_allowed', 'Only for kind custom');
  if (input.forwardOf !== undefined) {
    for (const path of ['body', 'meta'] as const) {
      if (input[path] !== undefined) at(path, 'not_allowed', 'Not with forwardOf');
    }
    if (input.attachmentIds.length > 0) at('attachmentIds', 'not_allowed', 'Not with forwardOf');
  } else if (input.meta === undefined && input.attachmentIds.length === 0 && !hasVisibleCharacter(input.body ?? '')) {
    at('body', 'too_short', 'At least one visible character');
  }
}

/** REST: the conversation is in the path. */
export const sendMessageBody = z.strictObject(sendFields).superRefine(checkContent);
export type SendFields = z.output<typeof sendMessageBody>;

/** Socket: `message.send`. */
export const sendMessage = z.strictObject({ c: uuid, ...sendFields }).superRefine(checkContent);
export type SendMessage = z.output<typeof sendMessage>;
