import { Api } from './api.js';
import { CatchUp } from './catch-up.js';
import { Connection } from './connection.js';
import { type Content, Conversation, type ConversationPort, type EditContent } from './conversation.js';
import { ConversationState } from './conversation-state.js';
import { Emitter } from './emitter.js';
import { backoffMs, noAnswer, type ParleyError, sleep, toParleyError } from './errors.js';
import type { AuthResult, Login, Me, Message, Register, Tokens } from './generated/contract.js';
import type { Pending } from './outbox.js';
import { memoryStore, type StoredSend } from './outbox-store.js';
import type { ParleyEvents, ParleyOptions, Status } from './parley-events.js';
import { PresenceWatch } from './presence-watch.js';
import type { Change, Commands, Ready, SendResult, ServerEvents, UserChange } from './protocol.js';
import { ReceiptSender } from './receipt-sender.js';
import { Rest } from './rest.js';
import { Sends } from './sends.js';
import { type Credentials, Session } from './session.js';
import { type GoneReason, SyncCore } from './sync-core.js';

type Listen = (name: string, listener: () => void) => void;
/** Browsers tell when the network is back. */
const page = globalThis as { addEventListener?: Listen; removeEventListener?: Listen };

const KNOWN_WITHIN_MS = 15_000;
const COMMAND_TRIES = 4;

/** A signed-in user on one device. */
export class Parley extends Emitter<ParleyEvents> {
  readonly rest: Rest;
  readonly api: Api;
  private readonly session: Session;
  private readonly connection: Connection;
  private readonly core: SyncCore;
  private readonly catchUp: CatchUp;
  private readonly receipts: ReceiptSender;
  private readonly known = new Map<string, Conversation>();
  private readonly gaps = new Map<string, number>();
  private readonly presence = new PresenceWatch({
    ask: (userIds) => this.command('presence.watch', { userIds }),
    tell: (event) => this.emit('presence', event),
  });
  private readonly sends: Sends;
  private id: string;
  private current: Status = 'offline';
  private syncBegan = 0;
  private facts: Ready | undefined;

  private constructor(
    readonly url: string,
    credentials: Credentials,
    private readonly options: ParleyOptions,
  ) {
    super();
    this.session = new Session(credentials, {
      rest: new Rest(url),
      renewed: (tokens) => this.onRenewed(tokens),
      ended: (error) => this.onSignedOut(error),
    });
    this.id = 'tokens' in credentials ? subjectOf(credentials.tokens.accessToken) : '';
    this.rest = new Rest(url, this.session);
    this.api = new Api(this.rest);
    this.sends = new Sends({
      store: options.outbox ?? memoryStore(),
      userId: async () => {
        if (!this.id) await this.connection.untilReady();
        return this.id;
      },
      send: (item) => this.trySend(item),
      changed: (item) => {
        this.known.get(item.conversationId)?.touch();
        this.emit('outbox', item);
      },
    });
    this.receipts = new ReceiptSender((c, marks) => this.sendReceipt(c, marks));
    this.core = new SyncCore(() => this.id, {
      ask: (ask) => void this.catchUp.answer(ask),
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
        this.emit('gap', { id: c, position, from });
      },
      repaired: (c, position, rows) => this.onRepaired(c, position, rows),
      synced: () => {
        this.show('online');
        this.emit('synced', { durationMs: Date.now() - this.syncBegan });
      },
    });
    this.connection = new Connection(
      url,
      {
        tokens: this.session,
        ready: (ready) => this.onReady(ready),
        lost: () => this.onLost(),
        event: (name, payload) => this.onEvent(name, payload),
        state: (state, error) => {
          if (state !== 'online' && this.current !== 'signed-out') this.show(state, error);
        },
      },
      options.transports ? { transports: options.transports } : {},
    );
    this.catchUp = new CatchUp(this.connection, this.core);
    page.addEventListener?.('online', this.hurry);
  }

  /** Makes an account and signs in. @throws registration_closed, already_exists, validation_failed */
  static register(url: string, input: Register, options: ParleyOptions = {}): Promise<Parley> {
    return Parley.signIn(url, '/auth/register', input, options);
  }
  /** @throws invalid_credentials, account_suspended */
  static login(url: string, input: Login, options: ParleyOptions = {}): Promise<Parley> {
    return Parley.signIn(url, '/auth/login', input, options);
  }
  /** Goes on with the tokens of the latest `tokens` event. */
  static resume(url: string, tokens: Tokens, options: ParleyOptions = {}): Parley {
    return new Parley(url, { tokens }, options);
  }
  /** With tokens of the host application; `getToken` is asked for each new one. */
  static withToken(
    url: string,
    getToken: () => Promise<string>,
    options: ParleyOptions & { deviceId?: string } = {},
  ): Parley {
    const { deviceId } = options;
    return new Parley(url, { getToken, ...(deviceId === undefined ? {} : { deviceId }) }, options);
  }

  /** Empty until the first connection where the token is of a host application. */
  get userId(): string {
    return this.id;
  }
  get status(): Status {
    return this.current;
  }
  get tokens(): Tokens | undefined {
    return this.session.current;
  }
  /** What the server said of itself and its limits. */
  get server(): Ready | undefined {
    return this.facts;
  }

  /** Latest activity first. */
  get conversations(): Conversation[] {
    const at = ({ state }: Conversation) => state.messages.at(-1)?.createdAt ?? state.conversation.createdAt;
    return [...this.known.values()].sort((a, b) => (at(a) < at(b) ? 1 : -1));
  }
  conversation(id: string): Conversation | undefined {
    return this.known.get(id);
  }

  /** Connects and stays connected. Resolves when everything is up to date; rejects when that cannot succeed by itself. */
  async connect(): Promise<void> {
    if (this.current === 'online') return;
    const stops: (() => void)[] = [];
    const done = new Promise<void>((resolve, reject) => {
      stops.push(
        this.on('synced', () => resolve()),
        this.on('signed-out', ({ error }) => reject(error)),
        this.on('status', ({ error }) => {
          if (error && !error.retryable && error.status !== 401) reject(error);
        }),
      );
    });
    this.connection.open();
    if (this.id) this.sends.start();
    await done.finally(() => stops.forEach((stop) => stop()));
  }

  /** Ends the connection and all timers; unsent messages stay in their store. */
  close(): void {
    page.removeEventListener?.('online', this.hurry);
    this.sends.close();
    this.receipts.close();
    this.session.close();
    this.connection.close();
    for (const conversation of this.known.values()) conversation.end();
    this.show('offline');
  }

  /** Asks for a new access token before the old one is due. */
  async renewToken(): Promise<void> {
    await this.session.renew();
  }

  /** Ends the sign-in on the server as well. */
  async logout(): Promise<void> {
    await this.rest.post('/auth/logout');
    this.close();
  }

  /** The conversation with one other person, made when there is none. Needs a connection. */
  async direct(userId: string): Promise<Conversation> {
    const { id } = await this.api.createConversation({ type: 'direct', memberIds: [userId] });
    return this.entered(id);
  }
  async group(title: string, memberIds: string[] = []): Promise<Conversation> {
    const { id } = await this.api.createConversation({ type: 'group', title, memberIds });
    return this.entered(id);
  }

  /** Queues a message, also for a conversation that is not known yet. Resolves when it is stored on this device. */
  send(conversationId: string, content: Content): Promise<Pending> {
    return this.sends.add(conversationId, content);
  }
  /** Sends a refused message again. */
  retry(clientId: string): Promise<void> {
    return this.sends.retry(clientId);
  }
  /** Forgets a refused message. */
  discard(clientId: string): Promise<void> {
    return this.sends.discard(clientId);
  }

  /** Any command of the protocol. Waits for a connection and tries again where that is safe and may help. */
  async command<Name extends keyof Commands>(name: Name, payload: Commands[Name][0]): Promise<Commands[Name][1]> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.connection.untilReady(KNOWN_WITHIN_MS);
        return await this.connection.request(name, payload);
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (!error.retryable || attempt >= COMMAND_TRIES) throw error;
        await sleep(backoffMs(attempt, error));
      }
    }
  }

  /** Whose presence is told by `presence` events, up to 200 people; replaces those before. */
  watchPresence(userIds: string[]): Promise<void> {
    return this.presence.set(userIds, this.connection.online);
  }

  /** active, idle or dnd on this device. */
  async setActivity(state: 'active' | 'idle' | 'dnd'): Promise<void> {
    await this.command('presence.activity', { state });
  }

  /** Cuts the connection as a lost network would, to see that nothing is lost. */
  cutConnection(): void {
    this.connection.cut();
  }

  private static async signIn(url: string, path: string, input: Register | Login, options: ParleyOptions) {
    // Once only: a second registration would be refused because of the first.
    const { tokens } = await new Rest(url).post<AuthResult>(path, input, { anonymous: true, tries: 1 });
    return new Parley(url, { tokens }, options);
  }

  private readonly hurry = (): void => this.connection.hurry();

  private async entered(id: string): Promise<Conversation> {
    const until = Date.now() + KNOWN_WITHIN_MS;
    for (;;) {
      const conversation = this.known.get(id);
      if (conversation) return conversation;
      const left = until - Date.now();
      if (left <= 0) throw noAnswer('timeout', 'The conversation did not arrive in time');
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, left)));
      await Promise.race([this.once('conversation', ({ conversation: { id: other } }) => other === id), late]);
      // Left behind, it would keep a finished program alive.
      clearTimeout(timer);
    }
  }

  private async trySend({ conversationId, fields }: StoredSend): Promise<SendResult> {
    await this.connection.untilReady();
    const result = await this.connection.request('message.send', { c: conversationId, ...fields });
    this.ownMessage(result.message);
    // Sending says that everything before was read, unless it says otherwise; the server tells the other devices.
    if (fields.markRead !== false) {
      const conversation = this.known.get(conversationId);
      conversation?.state.readUpTo(result.message.seq);
      conversation?.touch();
    }
    return result;
  }

  /** The answer of a command holds the row: it is shown now, and applied when it is the next. */
  private ownMessage(message: Message): void {
    const { conversationId: c, rev } = message;
    if (this.core.own(c, { t: 'message', rev, v: message })) return;
    const conversation = this.known.get(c);
    const there = conversation?.state.message(message.seq);
    if (conversation && !there) conversation.acknowledge(message);
  }

  private onReady(ready: Ready): void {
    this.facts = ready;
    this.id = ready.userId;
    this.catchUp.startOver();
    this.syncBegan = Date.now();
    this.show('syncing');
    this.core.connected();
    this.receipts.connected();
    this.sends.start();
    this.presence.connected();
  }

  private onLost(): void {
    this.catchUp.startOver();
    this.gaps.clear();
    this.core.disconnected();
    this.receipts.disconnected();
  }

  private onEvent(name: string, payload: unknown): void {
    this.emit('raw', { name, payload });
    const handle = this.handlers[name as keyof ServerEvents] as ((payload: unknown) => void) | undefined;
    handle?.(payload);
  }

  private readonly handlers: { [Name in keyof ServerEvents]?: (payload: Parameters<ServerEvents[Name]>[0]) => void } = {
    change: (change) => this.core.change(change),
    'user.change': (change) => this.core.userChange(change),
    heads: (heads) => this.core.heads(heads),
    receipts: (receipts) => {
      for (const [c, ...receipt] of receipts) {
        const conversation = this.known.get(c);
        if (conversation?.state.merge([receipt])) conversation.touch();
      }
    },
    typing: (hint) => {
      if (hint.userId !== this.id) this.known.get(hint.c)?.typed(hint);
    },
    presence: (states) => this.presence.told(states),
    call: (hint) => this.emit('call', hint),
    'call.signal': (signal) => this.emit('call.signal', signal),
    'session.revoked': (notice) => this.emit('session.revoked', notice),
  };

  private onReset(): void {
    for (const conversation of this.known.values()) conversation.end();
    this.known.clear();
    this.emit('reset', {});
  }

  private onStart(entry: Parameters<ConstructorParameters<typeof SyncCore>[1]['start']>[0]): void {
    const state = new ConversationState({ ...entry, changes: entry.changes as Change[] }, this.id);
    const before = this.known.get(entry.id);
    const receivedUpTo = before?.state.lastSeq ?? entry.me.deliveredSeq;
    const conversation =
      before ?? new Conversation(state, this.port, (one) => this.emit('conversation', { conversation: one }));
    this.known.set(entry.id, conversation);
    conversation.replace(state);
    for (const message of state.messages) {
      if (message.senderId === this.id) this.sends.seen(message);
      else if (message.seq > receivedUpTo && message.deletedAt === null)
        this.emit('message', { conversation, message });
    }
    this.confirm(entry.id, state);
  }

  private onChange(c: string, change: Change): void {
    const conversation = this.known.get(c);
    if (!conversation) return;
    const { state } = conversation;
    const isNew = state.apply(change);
    conversation.touch();
    if (change.t !== 'message') return;
    const message = change.v;
    if (message.senderId === this.id) this.sends.seen(message);
    else if (isNew && message.senderId !== null) conversation.typed({ userId: message.senderId, ttlMs: 0 });
    if (isNew) this.confirm(c, state);
    this.emit(isNew ? 'message' : 'message.changed', { conversation, message });
  }

  private onUserChange(change: UserChange): void {
    if (change.t === 'membership' && change.v.state === 'active' && !change.v.deleted) {
      const { conversationId, deleted: _, ...me } = change.v;
      const conversation = this.known.get(conversationId);
      conversation?.state.refresh({ me: me as Me });
      conversation?.touch();
    }
    this.emit('user.change', change);
  }

  private onGone(id: string, reason: GoneReason): void {
    this.known.get(id)?.end();
    this.known.delete(id);
    this.receipts.forget(id);
    this.emit('conversation.gone', { id, reason });
  }

  private onRepaired(id: string, position: number, rows: number): void {
    const began = this.gaps.get(id);
    this.gaps.delete(id);
    this.emit('repaired', { id, position, rows, durationMs: began === undefined ? 0 : Date.now() - began });
  }

  private onRenewed(tokens: Tokens | undefined): void {
    if (tokens) this.emit('tokens', tokens);
    if (!this.connection.online) return;
    void this.session
      .accessToken()
      .then((token) => this.connection.request('auth.refresh', { token }))
      // Refused or lost: the socket closes with the old token, and comes back with the new one.
      .catch(() => undefined);
  }

  private onSignedOut(error: ParleyError): void {
    this.connection.close();
    this.receipts.close();
    this.sends.close();
    this.show('signed-out', error);
    this.emit('signed-out', { error });
  }

  private confirm(c: string, { lastSeq, me }: ConversationState): void {
    if (this.options.confirmDelivery === false || lastSeq <= me.deliveredSeq) return;
    this.receipts.mark(c, { delivered: lastSeq });
  }

  private async sendReceipt(c: string, marks: { delivered?: number; read?: number }): Promise<void> {
    const me = (await this.connection.request('receipt', { c, ...marks })) as Me;
    const conversation = this.known.get(c);
    conversation?.state.refresh({ me });
    conversation?.touch();
  }

  private show(status: Status, error?: ParleyError): void {
    if (this.current === status) return;
    this.current = status;
    this.emit('status', { status, ...(error ? { error } : {}) });
  }

  private readonly port: ConversationPort = {
    userId: () => this.id,
    pending: (id) => this.sends.of(id),
    queue: (id, content) => this.send(id, content),
    loadOlder: async (id, before, limit) => {
      const page = await this.api.history(id, { before, limit });
      const conversation = this.known.get(id);
      conversation?.state.addHistory(page.items, page.hasBefore);
      conversation?.touch();
    },
    edit: async (c, seq, content: string | EditContent) => {
      const fields = typeof content === 'string' ? { body: content } : content;
      const { message } = await this.command('message.edit', { c, seq, ...fields });
      this.ownMessage(message);
      return message;
    },
    remove: async (c, seq) => {
      const { message } = await this.command('message.delete', { c, seq });
      this.ownMessage(message);
      return message;
    },
    react: async (c, seq, emoji, on) => void (await this.command('reaction.set', { c, seq, emoji, on })),
    markRead: (c, seq) => {
      const conversation = this.known.get(c);
      if (!conversation || seq <= conversation.state.me.readSeq) return;
      conversation.state.readUpTo(seq);
      conversation.touch();
      this.receipts.mark(c, { read: seq });
    },
    typing: (c, on, threadId) =>
      this.connection.hint('typing', { c, on, ...(threadId === undefined ? {} : { threadId }) }),
  };
}

/** Whose token it is; of Parley's own tokens the subject is the user. */
function subjectOf(token: string): string {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { sub: string }).sub;
}
