import { hash as digest } from 'node:crypto';
import { validationFailed } from '../../platform/errors/domain-error.js';
import { characters } from '../../platform/http/text.js';
import type { SendFields } from './dto/send-message.dto.js';

/**
 * What makes two sends the same message: every send field but `markRead`, in one order whatever order the client wrote
 * them in. Stored with the message for ever, so the form must never change.
 */
export function payloadHash(input: SendFields): string {
  const { kind, body, meta, replyToSeq, threadId, attachmentIds, mentions, mentionAll, silent, forwardOf } = input;
  const parts = [
    kind,
    body ?? '',
    sorted(meta ?? null),
    replyToSeq ?? null,
    threadId ?? null,
    attachmentIds,
    mentions,
    mentionAll,
    silent,
  ];
  const forward = forwardOf ? [forwardOf.conversationId, forwardOf.seq] : null;
  return digest('sha256', JSON.stringify([...parts, forward]), 'base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

export interface ContentLimits {
  MESSAGE_MAX_CHARS: number;
  MESSAGE_MAX_ATTACHMENTS: number;
}

/** The configured limits; what holds everywhere is in the schema. @throws validation_failed */
export function checkLimits(
  content: { body?: string | undefined; attachmentIds?: readonly string[] | undefined },
  limits: ContentLimits,
): void {
  const { body = '', attachmentIds = [] } = content;
  // A character has at most two UTF-16 units, so most texts need no counting.
  if (body.length > limits.MESSAGE_MAX_CHARS && characters(body) > limits.MESSAGE_MAX_CHARS) {
    throw validationFailed({
      path: 'body',
      code: 'too_long',
      message: `At most ${limits.MESSAGE_MAX_CHARS} characters`,
    });
  }
  if (attachmentIds.length > limits.MESSAGE_MAX_ATTACHMENTS) {
    throw validationFailed({
      path: 'attachmentIds',
      code: 'too_long',
      message: `At most ${limits.MESSAGE_MAX_ATTACHMENTS} attachments`,
    });
  }
}
