import { Feed } from './feed.js';
import type { ChangesAnswer, SyncAnswer, SyncEntry, SyncRequest, UserChangesAnswer } from './generated/contract.js';
import type { Change, LiveChange, LiveUserChange, UserChange } from './protocol.js';

/** A question to the server. The object itself is its identity: an answer to an older one is ignored. */
export type Ask =
  | { kind: 'sync'; request: SyncRequest }
  | { kind: 'changes'; c: string; after: number }
  | { kind: 'user'; after: number };

export type GoneReason = 'left' | 'removed' | 'deleted' | 'unknown';

/** What the core tells and needs. Nothing here answers: answers come by `SyncCore.answered…`. */
export interface SyncPort {
  ask(ask: Ask): void;
  /** The server has another history: everything but unsent messages is void. */
  reset(): void;
  /** A conversation that is new here, or too far behind: what was kept of it is replaced. */
  start(entry: SyncEntry & { conversation: NonNullable<SyncEntry['conversation']> }): void;
  /** Own side, head and receipts of a conversation that is up to date. */
  refresh(entry: Pick<SyncEntry, 'id' | 'head' | 'me'> & Partial<Pick<SyncEntry, 'receipts'>>): void;
  apply(c: string, change: Change): void;
  applyUser(change: UserChange): void;
  gone(c: string, reason: GoneReason): void;
  /** A gap was found before a live change; `repaired` follows. */
  gap?(c: string, position: number, from: number): void;
  repaired?(c: string, position: number, rows: number): void;
  /** All is applied, live events included. */
  synced(): void;
}

const LIMIT = 100;

/**
 * The client's side of sync (protocol, sections 5.4 and 6) without transport, timers or storage, so that every
 * interleaving can be tried: positions per conversation and of the user's own feed, live events held while a sync runs,
 * gaps found and filled.
 */
export class SyncCore {
  private epoch: string | undefined;
  private readonly feeds = new Map<string, Feed<Change>>();
  private readonly user: Feed<UserChange>;
  private syncing: Ask | undefined;
  private online = false;
  private userMore = false;
  /** Heard of, not known; the next sync tells. */
  private wanted = new Set<string>();
  private readonly strangers = new Map<string, LiveChange[]>();

  constructor(
    private readonly userId: () => string,
    private readonly port: SyncPort,
  ) {
    this.user = new Feed<UserChange>(0, {
      apply: (change) => this.applyUser(change),
      ask: (after) => this.ask({ kind: 'user', after }),
    });
  }

  position(c: string): number | undefined {
    return this.feeds.get(c)?.position;
  }
  get userPosition(): number {
    return this.user.position;
  }

  /** The socket is in its rooms: `ready` came. */
  connected(): void {
    this.online = true;
    this.sync();
  }

  /** What was asked will not be answered, what was held comes again. */
  disconnected(): void {
    this.online = false;
    this.syncing = undefined;
    for (const feed of this.all()) {
      feed.pause();
      feed.take();
    }
    this.wanted.clear();
    this.strangers.clear();
  }

  change(change: LiveChange): void {
    const feed = this.feeds.get(change.c);
    if (feed) return feed.live(change);
    this.strangers.set(change.c, [...(this.strangers.get(change.c) ?? []), change]);
    this.want(change.c);
  }

  userChange(change: LiveUserChange): void {
    this.user.live(change);
  }

  heads(heads: Record<string, number>): void {
    for (const [c, rev] of Object.entries(heads)) {
      const feed = this.feeds.get(c);
      if (feed) feed.hint(rev);
      else this.want(c);
    }
  }

  /** The answer of an own command came with a row; it moves the position only if it is the very next. */
  own(c: string, change: Change): boolean {
    return this.feeds.get(c)?.own(change) ?? false;
  }

  answeredSync(ask: Ask, answer: SyncAnswer): void {
    if (ask !== this.syncing || ask.kind !== 'sync') return;
    const first = ask.request.cursor === undefined;
    if (!first && answer.epoch !== this.epoch) return this.sync();
    if (first) this.begin(answer);
    for (const entry of answer.conversations) this.enter(entry);
    if (answer.cursor === null) return this.finish();
    this.syncing = this.ask({ kind: 'sync', request: { ...ask.request, cursor: answer.cursor } });
  }

  answeredChanges(ask: Ask, answer: ChangesAnswer): void {
    if (ask.kind !== 'changes') return;
    const feed = this.feeds.get(ask.c);
    if (!feed?.isAsking(ask)) return;
    feed.load(answer.changes as Change[], answer.upTo);
    // What was applied may have ended the membership.
    if (!feed.isAsking(ask)) return;
    // Own side and head are of the end; what was held comes after them.
    if (!answer.more) this.port.refresh({ id: ask.c, head: answer.head, me: answer.me });
    this.port.repaired?.(ask.c, feed.position, answer.changes.length);
    feed.proceed(answer.more);
  }

  answeredUser(ask: Ask, answer: UserChangesAnswer): void {
    if (!this.user.isAsking(ask)) return;
    this.user.load(answer.changes as UserChange[], answer.upTo);
    if (this.user.isAsking(ask)) this.user.proceed(answer.more);
  }

  /** A final refusal: the conversation is gone, or the position is of another history and sync starts anew. */
  refused(ask: Ask, code: string): void {
    if (ask.kind === 'changes') {
      if (!this.feeds.get(ask.c)?.isAsking(ask)) return;
      if (code === 'not_found') return this.forget(ask.c, 'unknown');
    } else if (ask.kind === 'user' ? !this.user.isAsking(ask) : ask !== this.syncing) return;
    // A cursor or an epoch of before: what is known cannot be trusted.
    if (ask.kind === 'sync') this.epoch = undefined;
    if (this.online) this.sync();
  }

  private sync(): void {
    for (const feed of this.all()) feed.pause();
    this.wanted.clear();
    this.userMore = false;
    const heads = Object.fromEntries([...this.feeds].map(([c, feed]) => [c, feed.position]));
    this.syncing = this.ask({
      kind: 'sync',
      request: { ...(this.epoch ? { epoch: this.epoch } : {}), userRev: this.user.position, heads, limit: LIMIT },
    });
  }

  private begin(answer: SyncAnswer): void {
    if (answer.reset) {
      // What came live since `ready` belongs to the new history already.
      for (const [c, feed] of this.feeds) this.strangers.set(c, feed.take() as LiveChange[]);
      this.feeds.clear();
      this.port.reset();
    }
    // Below the own position only if the server lost data: then all it sends is news.
    if (answer.reset || answer.userRev < this.user.position) this.user.jump(0);
    this.epoch = answer.epoch;
    this.userMore = answer.userMore;
    this.user.load(answer.user as UserChange[], answer.userRev);
    for (const c of answer.gone) this.forget(c, 'unknown');
  }

  private enter(entry: SyncEntry): void {
    const known = this.feeds.get(entry.id);
    if (entry.conversation !== null && entry.limited) {
      const feed = known ?? this.newFeed(entry.id);
      feed.jump(entry.upTo);
      this.feeds.set(entry.id, feed);
      this.port.start({ ...entry, conversation: entry.conversation });
    } else if (known) {
      known.load(entry.changes as Change[], entry.upTo);
      if (this.feeds.has(entry.id)) this.port.refresh(entry);
    } else {
      // Left and entered again while the answer was made: asked for without a position, it comes whole.
      this.wanted.add(entry.id);
    }
  }

  private finish(): void {
    this.syncing = undefined;
    for (const [c, changes] of this.strangers) {
      const feed = this.feeds.get(c);
      for (const change of feed ? changes : []) feed?.live(change);
      if (feed || !this.wanted.has(c)) this.strangers.delete(c);
    }
    const again = [...this.wanted].some((c) => !this.feeds.has(c));
    if (again) return this.sync();
    for (const feed of this.all()) {
      feed.resume();
      // What it applied made us hear of another conversation.
      if (this.syncing) return;
    }
    if (this.userMore && this.user.settled) this.user.repair();
    this.port.synced();
  }

  private newFeed(c: string): Feed<Change> {
    const feed: Feed<Change> = new Feed<Change>(0, {
      apply: (change) => this.apply(c, change),
      ask: (after) => this.ask({ kind: 'changes', c, after }),
      gap: (from) => this.port.gap?.(c, feed.position, from),
    });
    return feed;
  }

  private apply(c: string, change: Change): void {
    this.port.apply(c, change);
    if (change.t === 'conversation' && change.v.deletedAt !== null) this.forget(c, 'deleted');
    if (change.t === 'member' && change.v.userId === this.userId() && change.v.state !== 'active')
      this.forget(c, change.v.state);
  }

  private applyUser(change: UserChange): void {
    this.port.applyUser(change);
    if (change.t !== 'membership') return;
    const { conversationId, state, deleted } = change.v;
    if (deleted || state !== 'active') this.forget(conversationId, state === 'removed' ? 'removed' : 'left');
    else if (!this.feeds.has(conversationId)) this.want(conversationId);
  }

  private forget(c: string, reason: GoneReason): void {
    const feed = this.feeds.get(c);
    if (!feed) return;
    feed.pause();
    this.feeds.delete(c);
    this.port.gone(c, reason);
  }

  private want(c: string): void {
    this.wanted.add(c);
    if (this.online && !this.syncing) this.sync();
  }

  private ask<A extends Ask>(ask: A): A {
    this.port.ask(ask);
    return ask;
  }

  private *all(): Iterable<Feed<Change> | Feed<UserChange>> {
    yield* this.feeds.values();
    yield this.user;
  }
}
