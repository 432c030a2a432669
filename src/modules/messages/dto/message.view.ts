import { z } from 'zod';
import { type AttachmentView, attachmentView } from '../../media/dto/attachment.view.js';
import { type CallView, callView } from './call.view.js';
import { type ThreadView, threadView } from './thread.view.js';

const id = z.uuid();
const time = z.iso.datetime();
const number = z.number().int().nonnegative();

export const messageKind = z.enum(['text', 'custom', 'system', 'call']);
export type MessageKind = z.output<typeof messageKind>;

export const reactionView = z.object({ emoji: z.string(), count: number, /** The latest 50. */ userIds: z.array(id) });
export type ReactionView = z.output<typeof reactionView>;

export const forwardedFromView = z.object({ messageId: id, senderId: id.nullable(), createdAt: time });
export type ForwardedFrom = z.output<typeof forwardedFromView>;

export const systemView = z.object({
  type: z.string(),
  actorId: id,
  targetIds: z.array(id),
  data: z.record(z.string(), z.unknown()),
});

/** A message as every member sees it, so that it can go to a room. A deleted one keeps who, where and when alone. */
export const messageView = z.object({
  id,
  conversationId: id,
  seq: number,
  rev: number,
  kind: messageKind,
  senderId: id.nullable(),
  clientId: id.nullable(),
  body: z.string().nullable(),
  meta: z.record(z.string(), z.unknown()).nullable(),
  replyToSeq: number.nullable(),
  threadId: id.nullable(),
  mentions: z.array(id),
  mentionAll: z.boolean(),
  attachments: z.array(attachmentView),
  forwardedFrom: forwardedFromView.nullable(),
  silent: z.boolean(),
  reactions: z.array(reactionView),
  pinned: z.object({ at: time, by: id.nullable() }).nullable(),
  thread: threadView.nullable(),
  call: callView.nullable(),
  system: systemView.nullable(),
  createdAt: time,
  editedAt: time.nullable(),
  deletedAt: time.nullable(),
  deletedBy: id.nullable(),
});
export type MessageView = z.output<typeof messageView>;

/** A row of `messages`. */
export interface MessageRow {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  ord: number;
  kind: MessageKind;
  senderId: string | null;
  clientId: string | null;
  payloadHash: string | null;
  body: string | null;
  /** What the client gave with kind `custom`; what happened with kind `system`. */
  meta: Record<string, unknown> | null;
  replyToSeq: number | null;
  threadId: string | null;
  mentions: string[];
  mentionAll: boolean;
  forwardedFrom: ForwardedFrom | null;
  silent: boolean;
  /** Whether it drew an `ord`, that is: counts as unread. */
  counts: boolean;
  pinnedAt: Date | null;
  pinnedBy: string | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  deletedBy: string | null;
}

/** What decides who is told of a message, without what it says. */
export type MessageBrief = Pick<
  MessageRow,
  | 'id'
  | 'conversationId'
  | 'seq'
  | 'kind'
  | 'senderId'
  | 'replyToSeq'
  | 'threadId'
  | 'mentions'
  | 'mentionAll'
  | 'silent'
  | 'createdAt'
  | 'deletedAt'
>;

/** What other tables say about a message. */
export interface MessageContext {
  attachments: AttachmentView[];
  reactions: ReactionView[];
  thread: ThreadView | null;
  call: CallView | null;
}
export const noContext: MessageContext = { attachments: [], reactions: [], thread: null, call: null };

export function toMessageView(row: MessageRow, context: MessageContext = noContext): MessageView {
  const live = row.deletedAt === null;
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    rev: row.rev,
    kind: row.kind,
    senderId: row.senderId,
    clientId: row.clientId,
    body: live ? row.body : null,
    meta: live && row.kind === 'custom' ? row.meta : null,
    replyToSeq: row.replyToSeq,
    threadId: row.threadId,
    mentions: live ? row.mentions : [],
    mentionAll: live && row.mentionAll,
    attachments: live ? context.attachments : [],
    forwardedFrom: live ? row.forwardedFrom : null,
    silent: live && row.silent,
    reactions: live ? context.reactions : [],
    pinned: live && row.pinnedAt ? { at: row.pinnedAt.toISOString(), by: row.pinnedBy } : null,
    thread: live ? context.thread : null,
    call: live ? context.call : null,
    system: live && row.kind === 'system' ? (row.meta as z.output<typeof systemView> | null) : null,
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
    deletedBy: row.deletedBy,
  };
}
