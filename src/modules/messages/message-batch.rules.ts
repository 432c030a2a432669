import type { AttachmentView } from '../media/dto/attachment.view.js';
import type { MessageRow } from './dto/message.view.js';

/** A message that may be stored: everything but its numbers and its time. */
export interface Draft {
  conversationId: string;
  id: string;
  kind: MessageRow['kind'];
  senderId: string;
  clientId: string;
  payloadHash: string;
  body: string | null;
  meta: Record<string, unknown> | null;
  replyToSeq: number | null;
  threadId: string | null;
  mentions: string[];
  mentionAll: boolean;
  forwardedFrom: MessageRow['forwardedFrom'];
  silent: boolean;
  attachmentIds: string[];
  /** Views of the attachments, read beforehand so that the message can be shown the moment it is stored. */
  attachments: AttachmentView[];
  /** Forwarding binds files of others; the right to see the source was checked instead. */
  ownsAttachments: boolean;
  /** Whether the sender's position moves even over unread messages. */
  markRead: boolean;
  /** It refers to nothing, and the statement itself asks whether the sender may write; else that was asked before. */
  unasked: boolean;
  /** Least milliseconds since the sender's last message here (slow mode); 0 for no such rule. */
  pauseMs: number;
  /** Of the trace in which it is sent; its event goes on with it. */
  traceparent?: string | undefined;
}

/** Where each message and thread of a batch stands, as offsets from the head before it. */
export interface BatchPlan {
  seqs: number;
  ords: number;
  revs: number;
  /** Per message: offsets of ord; those of seq and rev are its place, counted from 1. */
  ord: number[];
  marks: { actor: string; seq: number; ord: number; force: boolean }[];
  /** Per thread replied to: its one new rev, the number of replies and the last of them. */
  threads: { id: string; rev: number; replies: number; lastSeq: number }[];
}

/** Silent messages and thread replies are no news to the conversation. */
export const countsAsUnread = (draft: Pick<Draft, 'silent' | 'threadId'>): boolean =>
  !draft.silent && draft.threadId === null;

/** Nothing but the message itself: it may be stored together with those of other conversations. */
export const isPlain = (draft: Draft): boolean => draft.unasked && draft.markRead;

/** The same for plain messages: each sender moves once, to their last message. */
export function planJoint(drafts: readonly Draft[]): BatchPlan {
  const plan = planBatch(drafts);
  return { ...plan, marks: [...new Map(plan.marks.map((mark) => [mark.actor, mark])).values()] };
}

/** Message revs come first, in order, then one for each thread: a reply is two changes, and each change is one row. */
export function planBatch(drafts: readonly Draft[]): BatchPlan {
  const ord: number[] = [];
  const marks: BatchPlan['marks'] = [];
  const threads = new Map<string, { replies: number; lastSeq: number }>();
  const counted = new Set<string>();
  let ords = 0;
  drafts.forEach((draft, i) => {
    const seq = i + 1;
    // A message of somebody else earlier in the batch is unread to this sender.
    const unreadBefore = counted.size > (counted.has(draft.senderId) ? 1 : 0);
    if (countsAsUnread(draft)) {
      ords += 1;
      counted.add(draft.senderId);
    }
    ord.push(ords);
    const moves = draft.markRead || !unreadBefore;
    marks.push({ actor: draft.senderId, seq: moves ? seq : 0, ord: moves ? ords : 0, force: draft.markRead });
    if (draft.threadId !== null) {
      const replies = threads.get(draft.threadId)?.replies ?? 0;
      threads.set(draft.threadId, { replies: replies + 1, lastSeq: seq });
    }
  });
  return {
    seqs: drafts.length,
    ords,
    revs: drafts.length + threads.size,
    ord,
    marks,
    threads: [...threads].map(([id, thread], i) => ({ id, rev: drafts.length + i + 1, ...thread })),
  };
}
