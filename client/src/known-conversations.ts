import type { Api } from './api.js';
import { type Content, Conversation, type ConversationPort, type EditContent } from './conversation.js';
import { ConversationState } from './conversation-state.js';
import type { Me, Message } from './generated/contract.js';
import type { Pending } from './outbox.js';
import type { ParleyEvents } from './parley-events.js';
import type { Change, Commands, ServerEvents, UserChange } from './protocol.js';
import { ReceiptSender } from './receipt-sender.js';
import type { Sends } from './sends.js';
import { type Ask, type GoneReason, SyncCore } from './sync-core.js';

/** What this needs of the client it belongs to. */
export interface KnownConversationsPort {
  userId(): string;
  /** Whether what is received is confirmed. */
  confirmDelivery: boolean;
  api: Api;
  sends: Sends;
  emit<Name extends keyof ParleyEvents>(name: Name, event: ParleyEvents[Name]): void;
  /** Puts a question of the sync core to the server. */
  ask(ask: Ask): void;
  synced(): void;
  queue(id: string, content: Content): Promise<Pending>;
  /** Waits for a connection and tries again where that is safe. */
  command<Name extends keyof Commands>(name: Name, payload: Commands[Name][0]): Promise<Commands[Name][1]>;
  /** Once, on the connection there is. */
  request<Name extends keyof Commands>(name: Name, payload: Commands[Name][0]): Promise<Commands[Name][1]>;
  typing(id: string, on: boolean, threadId: string | undefined): void;
}

/** The conversations this device knows: what the feeds say goes in, in order; what happened comes out as events. */
export class KnownConversations {
  readonly core: SyncCore;
  readonly receipts: ReceiptSender;
  private readonly known = new Map<string, Conversation>();
  /** When a hole was found in each. */
  private readonly gaps = new Map<string, number>();

  constructor(private readonly port: KnownConversationsPort) {
    this.receipts = new ReceiptSender((c, marks) => this.sendReceipt(c, marks));
    this.core = new SyncCore(() => port.userId(), {
      ask: (ask) => port.ask(ask),
      reset: () => this.onReset(),
      start: (entry) => this.onStart(entry),
      refresh: (entry) => {
        this.known.get(entry.id)?.state.refresh(entry);
        this.known.get(entry.id)?.touch();
      },
      apply: (c, change) => this.onChange(c, change),
      applyUser: (change) => this.onUserChange(change),
      gone: (c, reason) => this.onGone(c, reason),
      gap: (c, position, from) => {
        this.gaps.set(c, Date.now());
        port.emit('gap', { id: c, position, from });
      },
      repaired: (c, position, rows) => this.onRepaired(c, position, rows),
      synced: () => port.synced(),
    });
  }

  get(id: string): Conversation | undefined {
    return this.known.get(id);
  }

  /** Latest activity first. */
  list(): Conversation[] {
    const at = ({ state }: Conversation) => state.messages.at(-1)?.createdAt ?? state.conversation.createdAt;
    return [...this.known.values()].sort((a, b) => (at(a) < at(b) ? 1 : -1));
  }

  /** A message of the outbox was stored. */
  sent({ message }: { message: Message }, markRead: boolean): void {
    this.own(message);
    const conversation = this.known.get(message.conversationId);
    // Sending says that everything before was read, unless it says otherwise; the server tells the other devices.
    if (!conversation || !markRead) return;
    conversation.state.readUpTo(message.seq);
    conversation.touch();
  }

  connected(): void {
    this.core.connected();
    this.receipts.connected();
  }

  disconnected(): void {
    this.gaps.clear();
    this.core.disconnected();
    this.receipts.disconnected();
  }

  /** No more receipts, timers or typing. */
  end(): void {
    this.receipts.close();
    for (const conversation of this.known.values()) conversation.end();
  }

  receipt(receipts: Parameters<ServerEvents['receipts']>[0]): void {
    for (const [c, ...receipt] of receipts) {
      const conversation = this.known.get(c);
      if (conversation?.state.merge([receipt])) conversation.touch();
    }
  }

  typing(hint: Parameters<ServerEvents['typing']>[0]): void {
    if (hint.userId !== this.port.userId()) this.known.get(hint.c)?.typed(hint);
  }

  /** The answer of a command holds the row: it is shown now, and applied when it is the next. */
  private own(message: Message): void {
    const { conversationId: c, rev } = message;
    if (this.core.own(c, { t: 'message', rev, v: message })) return;
    const conversation = this.known.get(c);
    const there = conversation?.state.message(message.seq);
    if (conversation && !there) conversation.acknowledge(message);
  }

  private onReset(): void {
    for (const conversation of this.known.values()) conversation.end();
    this.known.clear();
    this.port.emit('reset', {});
  }

  private onStart(entry: Parameters<ConstructorParameters<typeof SyncCore>[1]['start']>[0]): void {
    const { port } = this;
    const state = new ConversationState({ ...entry, changes: entry.changes as Change[] }, port.userId());
    const before = this.known.get(entry.id);
    const receivedUpTo = before?.state.lastSeq ?? entry.me.deliveredSeq;
    const conversation =
      before ?? new Conversation(state, this.actions, (one) => port.emit('conversation', { conversation: one }));
    this.known.set(entry.id, conversation);
    conversation.replace(state);
    for (const message of state.messages) {
      if (message.senderId === port.userId()) port.sends.seen(message);
      else if (message.seq > receivedUpTo && message.deletedAt === null)
        port.emit('message', { conversation, message });
    }
    this.confirm(entry.id, state);
  }

  private onChange(c: string, change: Change): void {
    const conversation = this.known.get(c);
    if (!conversation) return;
    const { state } = conversation;
    const isNew = state.apply(change);
    if (change.t === 'message' && this.port.sends.readsBefore(change.v)) state.readUpTo(change.v.seq);
    conversation.touch();
    if (change.t !== 'message') return;
    const message = change.v;
    if (message.senderId === this.port.userId()) this.port.sends.seen(message);
    else if (isNew && message.senderId !== null) conversation.typed({ userId: message.senderId, ttlMs: 0 });
    if (isNew) this.confirm(c, state);
    this.port.emit(isNew ? 'message' : 'message.changed', { conversation, message });
  }

  private onUserChange(change: UserChange): void {
    if (change.t === 'membership' && change.v.state === 'active' && !change.v.deleted) {
      const { conversationId, deleted: _, ...me } = change.v;
      this.refresh(conversationId, me as Me);
    }
    this.port.emit('user.change', change);
  }

  private onGone(id: string, reason: GoneReason): void {
    this.known.get(id)?.end();
    this.known.delete(id);
    this.receipts.forget(id);
    this.port.emit('conversation.gone', { id, reason });
  }

  private onRepaired(id: string, position: number, rows: number): void {
    const began = this.gaps.get(id);
    this.gaps.delete(id);
    this.port.emit('repaired', { id, position, rows, durationMs: began === undefined ? 0 : Date.now() - began });
  }

  private confirm(c: string, { lastSeq, me }: ConversationState): void {
    if (!this.port.confirmDelivery || lastSeq <= me.deliveredSeq) return;
    this.receipts.mark(c, { delivered: lastSeq });
  }

  private async sendReceipt(c: string, marks: { delivered?: number; read?: number }): Promise<void> {
    this.refresh(c, (await this.port.request('receipt', { c, ...marks })) as Me);
  }

  private refresh(c: string, me: Me): void {
    const conversation = this.known.get(c);
    conversation?.state.refresh({ me });
    conversation?.touch();
  }

  /** What is done in a conversation. */
  private readonly actions: ConversationPort = {
    userId: () => this.port.userId(),
    pending: (id) => this.port.sends.of(id),
    queue: (id, content) => this.port.queue(id, content),
    loadOlder: async (id, before, limit) => {
      const page = await this.port.api.history(id, { before, limit });
      const conversation = this.known.get(id);
      conversation?.state.addHistory(page.items, page.hasBefore);
      conversation?.touch();
    },
    edit: async (c, seq, content: string | EditContent) => {
      const fields = typeof content === 'string' ? { body: content } : content;
      const { message } = await this.port.command('message.edit', { c, seq, ...fields });
      this.own(message);
      return message;
    },
    remove: async (c, seq) => {
      const { message } = await this.port.command('message.delete', { c, seq });
      this.own(message);
      return message;
    },
    react: async (c, seq, emoji, on) => void (await this.port.command('reaction.set', { c, seq, emoji, on })),
    markRead: (c, seq) => {
      const conversation = this.known.get(c);
      if (!conversation || seq <= conversation.state.me.readSeq) return;
      conversation.state.readUpTo(seq);
      conversation.touch();
      this.receipts.mark(c, { read: seq });
    },
    typing: (id, on, threadId) => this.port.typing(id, on, threadId),
  };
}
