import { Api } from './api.js';
import { CatchUp } from './catch-up.js';
import { Connection } from './connection.js';
import type { Content, Conversation } from './conversation.js';
import { Emitter } from './emitter.js';
import { backoffMs, noAnswer, type ParleyError, sleep, toParleyError } from './errors.js';
import type { AuthResult, Login, Register, Tokens } from './generated/contract.js';
import { KnownConversations } from './known-conversations.js';
import type { Pending } from './outbox.js';
import { memoryStore, type StoredSend } from './outbox-store.js';
import type { ParleyEvents, ParleyOptions, Status } from './parley-events.js';
import { PresenceWatch } from './presence-watch.js';
import type { Commands, Ready, SendResult, ServerEvents } from './protocol.js';
import { Rest } from './rest.js';
import { Sends } from './sends.js';
import { type Credentials, Session } from './session.js';

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
  private readonly known: KnownConversations;
  private readonly catchUp: CatchUp;
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
    this.known = new KnownConversations({
      userId: () => this.id,
      confirmDelivery: options.confirmDelivery !== false,
      api: this.api,
      sends: this.sends,
      emit: (name, event) => this.emit(name, event),
      ask: (ask) => void this.catchUp.answer(ask),
      synced: () => {
        this.show('online');
        this.emit('synced', { durationMs: Date.now() - this.syncBegan });
      },
      queue: (id, content) => this.send(id, content),
      command: (name, payload) => this.command(name, payload),
      request: (name, payload) => this.connection.request(name, payload),
      typing: (c, on, threadId) =>
        this.connection.hint('typing', { c, on, ...(threadId === undefined ? {} : { threadId }) }),
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
    this.catchUp = new CatchUp(this.connection, this.known.core);
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
    return this.known.list();
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
    this.known.end();
    this.session.close();
    this.connection.close();
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
    this.known.sent(result, fields.markRead !== false);
    return result;
  }

  private onReady(ready: Ready): void {
    this.facts = ready;
    this.id = ready.userId;
    this.catchUp.startOver();
    this.syncBegan = Date.now();
    this.show('syncing');
    this.known.connected();
    this.sends.start();
    this.presence.connected();
  }

  private onLost(): void {
    this.catchUp.startOver();
    this.known.disconnected();
  }

  private onEvent(name: string, payload: unknown): void {
    this.emit('raw', { name, payload });
    const handle = this.handlers[name as keyof ServerEvents] as ((payload: unknown) => void) | undefined;
    handle?.(payload);
  }

  private readonly handlers: { [Name in keyof ServerEvents]?: (payload: Parameters<ServerEvents[Name]>[0]) => void } = {
    change: (change) => this.known.core.change(change),
    'user.change': (change) => this.known.core.userChange(change),
    heads: (heads) => this.known.core.heads(heads),
    receipts: (receipts) => this.known.receipt(receipts),
    typing: (hint) => this.known.typing(hint),
    presence: (states) => this.presence.told(states),
    call: (hint) => this.emit('call', hint),
    'call.signal': (signal) => this.emit('call.signal', signal),
    'session.revoked': (notice) => this.emit('session.revoked', notice),
  };

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
    this.known.receipts.close();
    this.sends.close();
    this.show('signed-out', error);
    this.emit('signed-out', { error });
  }

  private show(status: Status, error?: ParleyError): void {
    if (this.current === status) return;
    this.current = status;
    this.emit('status', { status, ...(error ? { error } : {}) });
  }
}

/** Whose token it is; of Parley's own tokens the subject is the user. */
function subjectOf(token: string): string {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { sub: string }).sub;
}
