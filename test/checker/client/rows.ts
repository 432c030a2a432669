import type { Me, Row } from '../history.js';

/** A change as the protocol sends it: `change` events, entries of `sync` and `changes`. */
export interface Change {
  rev: number;
  t: string;
  v: Record<string, unknown> | null;
}

/** What a history keeps of a row. Of a `t` this client does not know only the position counts (protocol 15). */
export function toRow({ rev, t, v }: Change): Row {
  if (v === null) return { t: 'void', key: `void:${rev}`, rev };
  switch (t) {
    case 'message':
      return messageRow(v);
    case 'member':
      return { t, key: `member:${String(v.userId)}`, rev, user: String(v.userId), state: String(v.state) };
    case 'conversation':
      return { t, key: 'conversation', rev };
    case 'thread':
      return { t, key: `thread:${String(v.id)}`, rev };
    default:
      return { t: 'void', key: `void:${rev}`, rev };
  }
}

export function messageRow(v: Record<string, unknown>): Row {
  return {
    t: 'message',
    key: `message:${String(v.seq)}`,
    rev: v.rev as number,
    seq: v.seq as number,
    id: v.id as string,
    sender: v.senderId as string | null,
    clientId: v.clientId as string | null,
    body: v.kind === 'system' ? null : (v.body as string | null),
    deleted: v.deletedAt !== null,
  };
}

export const toMe = ({ visibleFromSeq, readSeq, deliveredSeq, unread, unreadCapped }: Me): Me => ({
  visibleFromSeq,
  readSeq,
  deliveredSeq,
  unread,
  unreadCapped,
});
