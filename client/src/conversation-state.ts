import type { Conversation, ConversationDetail, Me, Member, Message, SyncEntry, Thread } from './generated/contract.js';
import type { Change, ReceiptTuple } from './protocol.js';

/** How far a member has got, by seq. */
export interface Receipt {
  delivered: number;
  read: number;
}

/** Draws an `ord` on the server, that is: counts as unread for everybody who has not read so far. */
const counts = (message: Message): boolean =>
  message.kind !== 'system' && !message.silent && message.threadId === null && message.deletedAt === null;

/** What a client knows of one conversation. Pure: rows go in by `apply` in rev order, views come out. */
export class ConversationState {
  readonly id: string;
  conversation: Conversation;
  memberCount: number;
  me: Me;
  /** Of the newest message that was applied. */
  lastSeq: number;
  readonly members = new Map<string, Member>();
  readonly receipts = new Map<string, Receipt>();
  readonly threads = new Map<string, Thread>();
  private readonly rows = new Map<number, Message>();
  /** All messages from this seq on are here. */
  private from: number;

  constructor(
    entry: Pick<SyncEntry, 'id' | 'head' | 'me' | 'receipts'> & { changes: Change[]; conversation: ConversationDetail },
    private readonly userId: string,
  ) {
    const { memberCount, head: _head, me: _me, ...conversation } = entry.conversation;
    this.id = entry.id;
    this.conversation = conversation;
    this.memberCount = memberCount;
    this.me = entry.me;
    this.lastSeq = entry.head.seq;
    for (const change of entry.changes) this.put(change);
    this.from = Math.min(entry.head.seq + 1, ...this.rows.keys());
    this.merge(entry.receipts ?? []);
  }

  /** Seq of the oldest message that is here with all after it. */
  get loadedFrom(): number {
    return Math.max(this.from, this.me.visibleFromSeq);
  }
  get hasOlder(): boolean {
    return this.loadedFrom > this.me.visibleFromSeq;
  }

  /** Messages by seq without a hole, deleted ones and thread replies among them. */
  get messages(): Message[] {
    const first = this.loadedFrom;
    return [...this.rows.values()].filter(({ seq }) => seq >= first).sort((a, b) => a.seq - b.seq);
  }

  message(seq: number): Message | undefined {
    return this.rows.get(seq);
  }

  /** Whether it is a message that was not there before. */
  apply(change: Change): boolean {
    this.put(change);
    if (change.t !== 'message') return false;
    if (change.v.seq > this.lastSeq) {
      this.lastSeq = change.v.seq;
      this.countIn(change.v);
      return true;
    }
    if (change.v.deletedAt !== null) this.recount();
    return false;
  }

  /**
   * Own side as the server had it at some moment, before or after what is here; own receipts that are still on their way
   * stay.
   */
  refresh({ me, receipts }: { me: Me; receipts?: ReceiptTuple[] | null | undefined }): void {
    this.me = {
      ...me,
      readSeq: Math.max(me.readSeq, this.me.readSeq),
      deliveredSeq: Math.max(me.deliveredSeq, this.me.deliveredSeq),
    };
    this.recount();
    this.merge(receipts ?? []);
  }

  /** Receipts only move forward. Answers whether anything moved. */
  merge(receipts: readonly ReceiptTuple[]): boolean {
    let moved = false;
    for (const [userId, delivered, read] of receipts) {
      const known = this.receipts.get(userId) ?? { delivered: 0, read: 0 };
      if (delivered <= known.delivered && read <= known.read) continue;
      moved = true;
      this.receipts.set(userId, {
        delivered: Math.max(delivered, known.delivered),
        read: Math.max(read, known.read),
      });
      if (userId === this.userId) this.readUpTo(read, delivered);
    }
    return moved;
  }

  /** Shows an own receipt before the server confirms it. */
  readUpTo(read: number, delivered = read): void {
    const { me } = this;
    if (read <= me.readSeq && delivered <= me.deliveredSeq) return;
    const readSeq = Math.max(me.readSeq, read);
    this.me = { ...me, readSeq, deliveredSeq: Math.max(me.deliveredSeq, delivered, readSeq) };
    if (read > me.readSeq) {
      this.me.markedUnread = false;
      this.recount();
    }
  }

  /** A page of history. Rows that changed since are newer here. */
  addHistory(items: readonly Message[], hasBefore: boolean): void {
    for (const message of items) this.put({ t: 'message', rev: message.rev, v: message });
    const first = items[0];
    const last = items.at(-1);
    // Only a page that touches what is here makes it longer.
    if (first && last && last.seq >= this.from - 1) this.from = Math.min(this.from, first.seq);
    if (!hasBefore && (!last || last.seq >= this.from - 1)) this.from = Math.min(this.from, this.me.visibleFromSeq);
  }

  private put(change: Change): void {
    switch (change.t) {
      case 'message': {
        const known = this.rows.get(change.v.seq);
        if (!known || known.rev <= change.v.rev) this.rows.set(change.v.seq, change.v);
        return;
      }
      case 'member': {
        const before = this.members.get(change.v.userId);
        this.members.set(change.v.userId, change.v);
        return this.countMember(before, change.v);
      }
      case 'conversation':
        this.conversation = change.v;
        return;
      case 'thread':
        this.threads.set(change.v.id, change.v);
    }
  }

  private countMember(before: Member | undefined, after: Member): void {
    if (after.userId === this.userId && after.state === 'active') this.me = { ...this.me, role: after.role };
    if (!before) return;
    this.memberCount += Number(after.state === 'active') - Number(before.state === 'active');
  }

  /** As the server does: an own message is read at once if nothing else was unread, and otherwise one more. */
  private countIn(message: Message): void {
    const { me } = this;
    if (message.seq <= me.readSeq) return;
    if (message.senderId === this.userId && me.unread === 0) return this.readUpTo(message.seq);
    if (!counts(message)) return;
    this.me = { ...me, unread: me.unread + 1, mentions: me.mentions + Number(this.mentioned(message)) };
  }

  /** Exact when everything after `readSeq` is here; at the head it is 0 in any case. Else the server's number stays. */
  private recount(): void {
    const { readSeq } = this.me;
    if (this.from > readSeq + 1 && readSeq < this.lastSeq) return;
    const unread = [...this.rows.values()].filter((message) => message.seq > readSeq && counts(message));
    const mentions = unread.filter((message) => this.mentioned(message));
    this.me = { ...this.me, unread: unread.length, unreadCapped: false, mentions: mentions.length };
  }

  private mentioned({ senderId, mentionAll, mentions }: Message): boolean {
    return senderId !== this.userId && (mentionAll || mentions.includes(this.userId));
  }
}
