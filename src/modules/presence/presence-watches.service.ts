import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { monotonicMs } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Log } from '../../platform/logging/log.js';
import { PRESENCE_BATCH_MS } from '../../platform/realtime/protocol.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { Rooms } from '../../platform/realtime/rooms.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { type PresenceTuple, toPresenceTuple } from './dto/presence.view.js';
import { findPresence } from './presence.repository.js';
import { hidden, type Shown, shownOf } from './presence.rules.js';
import { PresencePrivacy } from './presence-privacy.service.js';

/** What one socket watches: user ids, and those of them its user may see. */
interface Watch {
  socketId: string;
  viewerId: string;
  ids: Set<string>;
  visible: Set<string>;
}

/** A user somebody here watches, as they were shown last. */
interface Watched {
  by: Set<Watch>;
  shown: Shown;
  /** Monotonic time at which the state changed last. */
  movedAt: number;
}

/** At most one change of a user's state is told in this time; whatever came in between is skipped. */
const DAMPING_MS = 10_000;

/**
 * Tells sockets about the users they watch. Hints only say whose presence to read again; every renewal of the replica's
 * lease reads all of them again, so neither a lost hint nor a dead replica leaves a wrong state standing.
 */
@Injectable()
export class PresenceWatches implements BeforeApplicationShutdown {
  private readonly watches = new Map<string, Watch>();
  private readonly watched = new Map<string, Watched>();
  /** Users to read again. */
  private readonly moved = new Set<string>();
  /** Those of them who are not to be shown a moment longer. */
  private readonly pressing = new Set<string>();
  /** Users whose rights may have changed, as viewers or as those watched. */
  private readonly changed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  private flushing = false;
  private flushedAt = -Infinity;
  private stopped = false;

  constructor(
    private readonly database: DatabaseService,
    private readonly privacy: PresencePrivacy,
    private readonly rooms: Rooms,
    private readonly config: Config,
    private readonly log: Log,
    lease: ReplicaLease,
    events: EventsService,
  ) {
    lease.onRenewed(() => this.onMoved([...this.watched.keys()]));
    // Blocks, contacts, memberships and preferences all move the feed of the user they belong to.
    events.onPosition(({ feed, id }) => {
      if (feed === 'user') this.onRightsChanged(id);
    });
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Replaces the set a socket watches and answers the present states. */
  async watch({ actor, socket }: SocketClient, userIds: readonly string[]): Promise<PresenceTuple[]> {
    const ids = [...new Set(userIds)];
    const [visible, rows] = await Promise.all([
      this.privacy.visibleTo(actor.userId, ids),
      findPresence(this.database, ids, this.config.PRESENCE_LEASE_TTL),
    ]);
    this.forget(socket.id);
    const present = new Map(rows.map((row) => [row.userId, shownOf(row)]));
    // It may have closed meanwhile.
    if (socket.connected && ids.length > 0) {
      const watch: Watch = { socketId: socket.id, viewerId: actor.userId, ids: new Set(ids), visible };
      this.watches.set(socket.id, watch);
      for (const id of ids) this.follow(id, watch, present.get(id) ?? hidden);
    }
    return ids.map((id) => toPresenceTuple(id, (visible.has(id) ? present.get(id) : undefined) ?? hidden));
  }

  forget(socketId: string): void {
    const watch = this.watches.get(socketId);
    if (!watch) return;
    this.watches.delete(socketId);
    for (const id of watch.ids) {
      const watched = this.watched.get(id);
      watched?.by.delete(watch);
      if (watched?.by.size === 0) this.watched.delete(id);
    }
  }

  /** Those of the users who are watched here are read again soon; `atOnce` without regard to when they moved last. */
  onMoved(userIds: readonly string[], atOnce = false): void {
    const ids = userIds.filter((id) => this.watched.has(id));
    for (const id of ids) {
      this.moved.add(id);
      if (atOnce) this.pressing.add(id);
    }
    if (ids.length > 0) this.schedule(this.soonest(ids));
  }

  /** Somebody's rights may have changed: as a viewer here, or as one who is watched here. */
  onRightsChanged(userId: string): void {
    if (this.watches.size === 0) return;
    this.changed.add(userId);
    this.schedule(-Infinity);
  }

  private follow(id: string, watch: Watch, shown: Shown): void {
    const watched = this.watched.get(id);
    if (!watched) {
      this.watched.set(id, { by: new Set([watch]), shown, movedAt: -Infinity });
      return;
    }
    watched.by.add(watch);
    // What the others were shown is older: they hear of it in time.
    if (watched.shown.state !== shown.state) this.onMoved([id]);
  }

  /** The next reading is not later than `due`. One that is under way schedules what it leaves. */
  private schedule(due: number): void {
    if (this.flushing || this.stopped) return;
    const at = monotonicMs();
    const next = Math.max(this.flushedAt + PRESENCE_BATCH_MS, due, at);
    if (this.timer && this.timerAt <= next) return;
    clearTimeout(this.timer);
    this.timerAt = next;
    this.timer = setTimeout(() => void this.flush(), next - at);
    this.timer.unref();
  }

  private soonest(ids: Iterable<string>): number {
    let due = Infinity;
    for (const id of ids) due = Math.min(due, this.dueAt(id));
    return due;
  }

  /** When a change of this user may be told. */
  private dueAt(id: string): number {
    if (this.pressing.has(id)) return -Infinity;
    return (this.watched.get(id)?.movedAt ?? -Infinity) + DAMPING_MS;
  }

  /** Never rejects. What could not be read is read with the next renewal of the lease. */
  private async flush(): Promise<void> {
    this.flushing = true;
    this.timer = undefined;
    this.flushedAt = monotonicMs();
    try {
      const told = new Map<Watch, PresenceTuple[]>();
      await this.applyRights(told);
      await this.applyMoves(told);
      for (const [{ socketId }, tuples] of told) this.rooms.toSocket(socketId, 'presence', tuples);
    } catch (error) {
      this.log.warn('presence.read_failed', { err: error });
    }
    this.flushing = false;
    if (this.changed.size > 0) this.schedule(-Infinity);
    else if (this.moved.size > 0) this.schedule(this.soonest(this.moved));
  }

  private async applyMoves(told: Map<Watch, PresenceTuple[]>): Promise<void> {
    const ids = [...this.moved].filter((id) => this.dueAt(id) <= this.flushedAt);
    if (ids.length === 0) return;
    for (const id of ids) {
      this.moved.delete(id);
      this.pressing.delete(id);
    }
    const rows = new Map(
      (await findPresence(this.database, ids, this.config.PRESENCE_LEASE_TTL)).map((row) => [row.userId, shownOf(row)]),
    );
    for (const id of ids) {
      const watched = this.watched.get(id);
      if (!watched) continue;
      const before = watched.shown;
      const now = rows.get(id) ?? hidden;
      // A user who became invisible goes with the version they were last seen with: a lower one would be dropped.
      watched.shown = { ...now, ver: Math.max(now.ver, before.ver) };
      if (now.state === before.state) continue;
      watched.movedAt = monotonicMs();
      for (const watch of watched.by) if (watch.visible.has(id)) add(told, watch, id, watched.shown);
    }
  }

  private async applyRights(told: Map<Watch, PresenceTuple[]>): Promise<void> {
    const users = [...this.changed];
    this.changed.clear();
    const own = Map.groupBy(this.watches.values(), ({ viewerId }) => viewerId);
    for (const userId of users) {
      for (const watch of own.get(userId) ?? []) {
        const visible = await this.privacy.visibleTo(userId, [...watch.ids]);
        for (const id of watch.ids) this.setVisible(told, watch, id, visible.has(id));
      }
      const by = [...(this.watched.get(userId)?.by ?? [])];
      const viewers = await this.privacy.viewersOf(userId, [...new Set(by.map(({ viewerId }) => viewerId))]);
      for (const watch of by) this.setVisible(told, watch, userId, viewers.has(watch.viewerId));
    }
  }

  private setVisible(told: Map<Watch, PresenceTuple[]>, watch: Watch, id: string, visible: boolean): void {
    if (watch.visible.has(id) === visible) return;
    const shown = this.watched.get(id)?.shown ?? hidden;
    if (visible) watch.visible.add(id);
    else watch.visible.delete(id);
    if (shown.state !== 'offline') add(told, watch, id, visible ? shown : { ...hidden, ver: shown.ver });
  }
}

function add(told: Map<Watch, PresenceTuple[]>, watch: Watch, id: string, shown: Shown): void {
  const tuples = told.get(watch);
  if (tuples) tuples.push(toPresenceTuple(id, shown));
  else told.set(watch, [toPresenceTuple(id, shown)]);
}
