import { type Conversation, Parley, type Self, type Status, type Tokens } from '@parley/client';
import { note } from './journal.js';
import { type Wire, wireOf } from './wire.js';

type Presence = 'active' | 'idle' | 'dnd' | 'offline';
/** How somebody wants to appear; `auto` is as the devices say. */
export type Mode = 'auto' | 'dnd' | 'invisible';

/** Where this page keeps it: nobody can ask the server how somebody wants to appear. */
const modeOf = (userId: string): string => `parley.mode.${userId}`;

/** Somebody on this page: a client of their own on a cable of their own. */
export class Person {
  readonly parley: Parley;
  readonly wire: Wire;
  readonly presence = new Map<string, Presence>();
  /** Texts that were begun, by conversation or thread. */
  readonly drafts = new Map<string, string>();
  status: Status = 'offline';
  mode: Mode = 'auto';
  /** The conversation in this person's window. */
  openId: string | undefined;
  private readonly positions = new Map<string, number>();
  private version = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly user: Self,
    tokens: Tokens,
    /** 0 to 3; people keep their colour. */
    readonly colour: number,
    others: readonly string[],
  ) {
    this.wire = wireOf(user.id);
    this.mode = (localStorage.getItem(modeOf(user.id)) as Mode | null) ?? 'auto';
    this.parley = Parley.resume(location.origin, tokens);
    this.listen();
    void this.parley.watchPresence([...others]);
  }

  get id(): string {
    return this.user.id;
  }
  get firstName(): string {
    return this.user.displayName.split(' ')[0] ?? this.user.displayName;
  }
  get conversations(): Conversation[] {
    return this.parley.conversations;
  }
  get unread(): number {
    return this.conversations.reduce((sum, { state }) => sum + state.me.unread, 0);
  }

  cut(): void {
    this.wire.cut();
    note(this.firstName, 'bad', 'pulled the cable out');
    this.touch();
  }
  mend(): void {
    this.wire.mend();
    note(this.firstName, 'info', 'plugged the cable in again');
    this.touch();
  }

  /** Others see it; the server keeps it until it is changed. */
  async appear(mode: Mode): Promise<void> {
    await this.parley.rest.put('/presence/me', { mode });
    this.mode = mode;
    localStorage.setItem(modeOf(this.id), mode);
    this.touch();
  }

  /** For `useSyncExternalStore`. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  snapshot = (): number => this.version;

  /** The rev this person's copy of a conversation has reached. */
  positionOf(c: string): number {
    return this.positions.get(c) ?? 0;
  }

  private touch(): void {
    this.version++;
    for (const listener of this.listeners) listener();
  }

  private listen(): void {
    const { parley, firstName } = this;
    let wasOnline = false;
    parley.on('status', ({ status }) => {
      this.status = status;
      if (status === 'offline' && wasOnline && !this.wire.isCut) note(firstName, 'bad', 'lost the connection');
      wasOnline = status === 'online' || (wasOnline && status !== 'offline');
      this.touch();
    });
    let synced = 0;
    parley.on('synced', ({ durationMs }) => {
      note(
        firstName,
        'good',
        synced++ ? `is up to date again after ${durationMs} ms` : `is up to date, ${durationMs} ms`,
      );
    });
    parley.on('gap', ({ id, position, from }) =>
      note(
        firstName,
        'bad',
        `found a gap in “${this.titleOf(id)}”: has rev ${position}, the next one begins at ${from}`,
      ),
    );
    parley.on('repaired', ({ position, rows, durationMs }) =>
      note(
        firstName,
        'good',
        `closed it in ${durationMs} ms: ${rows} ${rows === 1 ? 'row' : 'rows'}, now at rev ${position}`,
      ),
    );
    parley.on('raw', ({ name, payload }) => {
      if (name === 'change') this.reached(payload as { c: string; rev: number });
    });
    parley.on('conversation', ({ conversation: { id, state } }) => {
      const revs = [state.conversation, ...state.messages, ...state.members.values(), ...state.threads.values()];
      this.reached({ c: id, rev: Math.max(...revs.map(({ rev }) => rev)) });
    });
    parley.on('presence', ({ userId, state }) => {
      this.presence.set(userId, state);
      this.touch();
    });
    for (const event of ['conversation', 'conversation.gone', 'outbox', 'reset'] as const)
      parley.on(event, () => this.touch());
  }

  private reached({ c, rev }: { c: string; rev: number }): void {
    if (rev > this.positionOf(c)) this.positions.set(c, rev);
  }

  private titleOf(id: string): string {
    return this.parley.conversation(id)?.view.conversation.title ?? 'a direct conversation';
  }
}
