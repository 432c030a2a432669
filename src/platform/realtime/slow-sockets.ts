import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { metrics } from '../logging/metrics.js';
import { RoomSequencer } from './room-sequencer.js';
import { conversationRoom, Rooms } from './rooms.js';
import { type Client, Sockets } from './sockets.js';
import { SendBuffer } from './send-buffer.js';

const SWEEP_MS = 100;
const LAG_BYTES = 1_048_576;
const CLOSE_BYTES = 4 * LAG_BYTES;
const CLOSE_AFTER_MS = 10_000;

interface Lag {
  buffer: SendBuffer;
  /** Positions of its rooms when it fell behind; undefined while it only has something unsent. */
  positions: Map<string, number> | undefined;
  since: number;
}

/**
 * Keeps a socket that reads slowly from filling the memory (protocol 7.14): above 1 MiB unsent it gets no live events of
 * conversations; once it has caught up, `heads` says where they are. Above 4 MiB, or after 10 s, it is closed.
 */
@Injectable()
export class SlowSockets implements OnApplicationShutdown {
  private readonly lagging = new Map<Client, Lag>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly sockets: Sockets,
    private readonly rooms: Rooms,
    private readonly sequencer: RoomSequencer,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  forget(client: Client): void {
    this.lagging.delete(client);
  }

  private sweep(): void {
    for (const client of this.sockets) if (!SendBuffer.isEmpty(client.socket)) this.look(client);
    for (const [client, lag] of this.lagging) if (SendBuffer.isEmpty(client.socket)) this.caughtUp(client, lag);
  }

  private look(client: Client): void {
    let lag = this.lagging.get(client);
    if (!lag)
      this.lagging.set(
        client,
        (lag = { buffer: new SendBuffer(client.socket), positions: undefined, since: monotonicMs() }),
      );
    const bytes = lag.buffer.bytes();
    if (bytes > CLOSE_BYTES || (lag.positions && monotonicMs() - lag.since > CLOSE_AFTER_MS)) this.cut(client, lag);
    else if (bytes > LAG_BYTES && !lag.positions) {
      lag.positions = this.positionsOf(client);
      lag.since = monotonicMs();
      this.rooms.setLagging(client.socket.id, true);
      metrics.wsDropped.inc({ outcome: 'lagging' });
    }
  }

  private caughtUp(client: Client, { positions }: Lag): void {
    this.lagging.delete(client);
    if (!positions) return;
    this.rooms.setLagging(client.socket.id, false);
    const moved = [...this.positionsOf(client)].filter(([id, rev]) => positions.get(id) !== rev);
    if (moved.length > 0) client.socket.emit('heads', Object.fromEntries(moved));
  }

  private cut(client: Client, lag: Lag): void {
    this.lagging.delete(client);
    metrics.wsDropped.inc({ outcome: 'closed' });
    lag.buffer.discard();
  }

  private positionsOf({ socket }: Client): Map<string, number> {
    const positions = new Map<string, number>();
    for (const room of socket.rooms) {
      const conversationId = room.slice(conversationRoom('').length);
      const position = room.startsWith(conversationRoom('')) ? this.sequencer.position(conversationId) : undefined;
      if (position !== undefined) positions.set(conversationId, position);
    }
    return positions;
  }
}
