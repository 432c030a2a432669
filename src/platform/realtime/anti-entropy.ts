import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { Connections } from './connections.js';
import { Feeds } from './feeds.js';
import { RoomSequencer } from './room-sequencer.js';
import { ServerEpoch } from './server-epoch.js';
import { SocketGrants } from './socket-grants.js';
import { Sockets } from './sockets.js';
import { UserSequencer } from './user-sequencer.js';

const IDS_PER_READ = 5000;
const MANY_ROOMS = 20_000;

/**
 * Compares what this replica has told with what the database says, so that a lost hint costs seconds and nothing else:
 * heads of the conversations served here, heads of the connected users, their auth sessions and permissions, the epoch.
 */
@Injectable()
export class AntiEntropy implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private horizon: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly feeds: Feeds,
    private readonly rooms: RoomSequencer,
    private readonly users: UserSequencer,
    private readonly sockets: Sockets,
    private readonly grants: SocketGrants,
    private readonly connections: Connections,
    private readonly epoch: ServerEpoch,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.ROLE !== 'worker') this.schedule();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One pass; each part is tried even if another fails. Never rejects. */
  async pass(): Promise<void> {
    const parts = {
      epoch: () => this.checkEpoch(),
      rooms: () => this.checkRooms(),
      users: () => this.checkUsers(),
      sessions: () => this.checkSessions(),
      grants: () => this.grants.refresh(this.sockets.userIds()),
    };
    const startedAt = monotonicMs();
    for (const [part, check] of Object.entries(parts)) {
      if (this.sockets.size === 0 || this.stopped) return;
      try {
        await check();
        metrics.antiEntropyPasses.inc({ part, result: 'ok' });
      } catch (error) {
        metrics.antiEntropyPasses.inc({ part, result: 'failed' });
        this.log.warn('antientropy.failed', { part, err: error });
      }
    }
    metrics.antiEntropySeconds.observe((monotonicMs() - startedAt) / 1000);
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.running = this.pass().finally(() => {
        if (!this.stopped) this.schedule();
      });
    }, this.config.ANTI_ENTROPY_MS * 0.9);
    this.timer.unref();
  }

  private async checkEpoch(): Promise<void> {
    if (!(await this.epoch.refresh())) return;
    this.log.warn('epoch.changed', { epoch: this.epoch.current });
    this.connections.restartAll();
  }

  /** Above some number of rooms only what moved since the last pass is read; after a pass that failed all are again. */
  private async checkRooms(): Promise<void> {
    const positions = this.rooms.positions();
    const failed = this.rooms.takeFailed();
    const since = this.horizon;
    this.horizon = undefined;
    const moved = positions.size > MANY_ROOMS ? await this.feeds.movedConversationHeads?.(since) : undefined;
    const byId = moved && since !== undefined ? failed : positions.keys();
    for (const ids of pages([...byId])) this.repairRooms(positions, await this.feeds.conversationHeads(ids));
    this.repairRooms(positions, moved?.heads ?? new Map());
    this.horizon = moved?.horizon;
  }

  private repairRooms(positions: ReadonlyMap<string, number>, heads: ReadonlyMap<string, number>): void {
    for (const [id, head] of heads) if (head > (positions.get(id) ?? head)) this.rooms.advance(id, head);
  }

  private async checkUsers(): Promise<void> {
    const positions = this.users.positions();
    for (const ids of pages([...positions.keys()])) {
      for (const [id, head] of await this.feeds.userHeads(ids)) {
        if (head > (positions.get(id) ?? 0)) this.users.advance(id, head);
      }
    }
  }

  private async checkSessions(): Promise<void> {
    const users = new Map([...this.sockets].map(({ actor }) => [actor.sessionId, actor.userId]));
    for (const ids of pages([...users.keys()])) {
      for (const [sessionId, reason] of await this.feeds.endedSessions(ids)) {
        this.connections.revoke(users.get(sessionId) ?? '', new Set([sessionId]), reason);
      }
    }
  }
}

function* pages(ids: readonly string[]): Generator<string[]> {
  for (let i = 0; i < ids.length; i += IDS_PER_READ) yield ids.slice(i, i + IDS_PER_READ);
}
