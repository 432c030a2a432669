import { Injectable } from '@nestjs/common';
import { Coalescer } from '../database/coalescer.js';
import { Feeds, type Membership } from './feeds.js';
import { RoomSequencer } from './room-sequencer.js';
import { userRoom } from './rooms.js';
import type { Client } from './sockets.js';
import { UserSequencer } from './user-sequencer.js';

const ROOM_READS = 5;
/** Each may be in 2,000 conversations. */
const USERS_PER_ROOM_READ = 50;

/**
 * Puts a new socket where its user belongs. What those who come at the same time need is read together, so that a storm
 * costs statements by time and not by socket.
 */
@Injectable()
export class Arrivals {
  private readonly heads = new Coalescer<string, number>(async (userIds) => {
    const heads = await this.feeds.userHeads(userIds);
    return userIds.map((id) => heads.get(id) ?? 0);
  });
  private readonly rooms = new Coalescer<string, Membership[]>(async (userIds) => {
    const memberships = Map.groupBy(await this.feeds.rooms(userIds), ({ userId }) => userId);
    return userIds.map((id) => memberships.get(id) ?? []);
  }, USERS_PER_ROOM_READ);

  constructor(
    private readonly feeds: Feeds,
    private readonly roomSequencer: RoomSequencer,
    private readonly userSequencer: UserSequencer,
  ) {}

  /**
   * Reads the rooms and joins them all; answers the position of the user's feed. What changes meanwhile is noticed (the
   * own feed is followed first, leaves are remembered by each room) and the rooms are read again.
   */
  async enter(client: Client): Promise<number> {
    const { userId, socket } = client;
    for (let attempt = 1; ; attempt++) {
      client.stale = false;
      const head = await this.heads.ask(userId);
      if (!socket.connected) return 0;
      this.userSequencer.open(userId, head);
      const memberships = await this.rooms.ask(userId);
      if (!socket.connected) return 0;
      const changed = client.stale || this.roomSequencer.outdated(memberships);
      if (changed && attempt < ROOM_READS) continue;
      client.live = true;
      void socket.join(userRoom(userId));
      this.roomSequencer.enter(client, memberships);
      return this.userSequencer.open(userId, head);
    }
  }
}
