import type { ConversationState, Receipt } from './conversation-state.js';
import type { Problem } from './errors.js';
import type { Conversation as ConversationRow, Me, Member, Message, SendFields } from './generated/contract.js';
import type { Pending } from './outbox.js';
import type { SendResult, TypingHint } from './protocol.js';

/** What to send: text, or any of the send fields. `clientId` is made here unless given. */
export type Content = string | Partial<SendFields>;

/** A message as it is shown: of the server, or on its way there (then without id, seq and rev). */
export type ShownMessage = Omit<Message, 'id' | 'seq' | 'rev'> & {
  /** The same before and after it is sent. */
  key: string;
  state: 'sent' | 'pending' | 'failed';
  /** Why it was refused. */
  problem: Problem | null;
  id: string | null;
  seq: number | null;
  rev: number | null;
};

/** What a conversation is at one moment. Another object whenever something changed, the same one until then. */
export interface ConversationView {
  id: string;
  conversation: ConversationRow;
  me: Me;
  memberCount: number;
  /** Those who are known; channels have more. */
  members: Member[];
  receipts: ReadonlyMap<string, Receipt>;
  /** Oldest first; unsent ones at the end. */
  timeline: ShownMessage[];
  hasOlder: boolean;
  /** User ids. */
  typing: string[];
}

/** What a conversation needs of its client. */
export interface ConversationPort {
  userId(): string;
  pending(id: string): Pending[];
  queue(id: string, content: Content): Promise<Pending>;
  loadOlder(id: string, before: number, limit: number): Promise<void>;
  edit(id: string, seq: number, content: string | EditContent): Promise<Message>;
  remove(id: string, seq: number): Promise<Message>;
  react(id: string, seq: number, emoji: string, on: boolean): Promise<void>;
  markRead(id: string, seq: number): void;
  typing(id: string, on: boolean, threadId: string | undefined): void;
}
export interface EditContent {
  body?: string;
  meta?: Record<string, unknown>;
  mentions?: string[];
  attachmentIds?: string[];
  /** Refuses with stale_rev when the message has changed since. */
  ifRev?: number;
}

const TYPING_EVERY_MS = 3000;

/** One conversation: its view, and what can be done in it. */
export class Conversation {
  private cached: ConversationView | undefined;
  private dirty = false;
  private readonly listeners = new Set<() => void>();
  /** Acknowledged, and not yet reached in order. */
  private readonly acknowledged = new Map<number, Message>();
  private readonly typists = new Map<string, ReturnType<typeof setTimeout>>();
  private typedAt = 0;

  constructor(
    private current: ConversationState,
    private readonly port: ConversationPort,
    private readonly changed: (conversation: Conversation) => void,
  ) {}

  get id(): string {
    return this.current.id;
  }
  get state(): ConversationState {
    return this.current;
  }

  /** For `useSyncExternalStore` and the like: called after each change of `view`. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  get view(): ConversationView {
    this.cached ??= this.makeView();
    return this.cached;
  }

  /** Shows and stores the message at once. Resolves when the server has it, rejects when it refuses it for good. */
  async send(content: Content): Promise<Message> {
    const { done } = await this.port.queue(this.id, content);
    const result: SendResult = await done;
    return result.message;
  }

  /** The same, resolving as soon as the message is stored on this device. */
  queue(content: Content): Promise<Pending> {
    return this.port.queue(this.id, content);
  }

  edit(seq: number, content: string | EditContent): Promise<Message> {
    return this.port.edit(this.id, seq, content);
  }
  delete(seq: number): Promise<Message> {
    return this.port.remove(this.id, seq);
  }
  react(seq: number, emoji: string, on = true): Promise<void> {
    return this.port.react(this.id, seq, emoji, on);
  }

  /** What was shown, up to the newest message unless told. */
  markRead(seq = this.current.lastSeq): void {
    this.port.markRead(this.id, seq);
  }

  /** Call it at every keystroke; it is sent every 3 s at most. */
  typing(on = true, threadId?: string): void {
    if (on && Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    if (!on && this.typedAt === 0) return;
    this.typedAt = on ? Date.now() : 0;
    this.port.typing(this.id, on, threadId);
  }

  /** Puts an older page before the timeline. Whether there is more. */
  async loadOlder(limit = 50): Promise<boolean> {
    if (this.current.hasOlder) await this.port.loadOlder(this.id, this.current.loadedFrom, limit);
    return this.current.hasOlder;
  }

  /** For the client: other rows, after a sync that starts anew. */
  replace(state: ConversationState): void {
    this.current = state;
    this.acknowledged.clear();
    this.touch();
  }

  /** For the client: an answer came before the change. */
  acknowledge(message: Message): void {
    this.acknowledged.set(message.seq, message);
    this.touch();
  }

  /** For the client: somebody types, or stopped. */
  typed({ userId, ttlMs }: Pick<TypingHint, 'userId' | 'ttlMs'>): void {
    clearTimeout(this.typists.get(userId));
    const had = this.typists.delete(userId);
    if (ttlMs > 0)
      this.typists.set(
        userId,
        setTimeout(() => this.typed({ userId, ttlMs: 0 }), ttlMs),
      );
    if (had || ttlMs > 0) this.touch();
  }

  /** For the client: something changed. Listeners hear once per burst. */
  touch(): void {
    this.cached = undefined;
    if (this.dirty) return;
    this.dirty = true;
    queueMicrotask(() => {
      this.dirty = false;
      this.changed(this);
      for (const listener of this.listeners) listener();
    });
  }

  /** For the client: it is closed, or left. */
  end(): void {
    for (const timer of this.typists.values()) clearTimeout(timer);
    this.typists.clear();
  }

  private makeView(): ConversationView {
    const { current } = this;
    return {
      id: current.id,
      conversation: current.conversation,
      me: current.me,
      memberCount: current.memberCount,
      members: [...current.members.values()].filter(({ state }) => state === 'active'),
      receipts: new Map(current.receipts),
      timeline: this.timeline(),
      hasOlder: current.hasOlder,
      typing: [...this.typists.keys()],
    };
  }

  private timeline(): ShownMessage[] {
    const rows = this.current.messages;
    for (const { seq } of rows) this.acknowledged.delete(seq);
    const early = [...this.acknowledged.values()].sort((a, b) => a.seq - b.seq);
    const stored = [...rows, ...early];
    const own = new Set(stored.map(({ clientId }) => clientId));
    const waiting = this.port.pending(this.id).filter(({ fields }) => !own.has(fields.clientId));
    return [...stored.map(shown), ...waiting.map((item) => this.draw(item))];
  }

  private draw({ fields, createdAt, conversationId, state, problem }: Pending): ShownMessage {
    return {
      key: fields.clientId,
      state,
      problem,
      id: null,
      seq: null,
      rev: null,
      conversationId,
      kind: fields.kind ?? 'text',
      senderId: this.port.userId(),
      clientId: fields.clientId,
      body: fields.body ?? null,
      meta: fields.meta ?? null,
      replyToSeq: fields.replyToSeq ?? null,
      threadId: fields.threadId ?? null,
      mentions: fields.mentions ?? [],
      mentionAll: fields.mentionAll ?? false,
      attachments: [],
      forwardedFrom: null,
      silent: fields.silent ?? false,
      reactions: [],
      pinned: null,
      thread: null,
      call: null,
      system: null,
      createdAt,
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
    };
  }
}

const shown = (message: Message): ShownMessage => ({
  ...message,
  key: message.clientId ?? message.id,
  state: 'sent',
  problem: null,
});
