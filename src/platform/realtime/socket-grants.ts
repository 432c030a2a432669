import { Injectable } from '@nestjs/common';
import { Actor } from '../auth/actor.js';
import { Actors } from '../auth/actors.js';
import { Sockets } from './sockets.js';

const IDS_PER_READ = 5000;

/** What the users of open sockets may do: a socket lives for hours, and its actor must not be of yesterday. */
@Injectable()
export class SocketGrants {
  constructor(
    private readonly actors: Actors,
    private readonly sockets: Sockets,
  ) {}

  /** Reads it again for those of the users who are connected here. */
  async refresh(userIds: Iterable<string>): Promise<void> {
    const connected = [...userIds].filter((id) => this.sockets.of(id).size > 0);
    for (let i = 0; i < connected.length; i += IDS_PER_READ) {
      const grants = await this.actors.grantsOfMany(connected.slice(i, i + IDS_PER_READ));
      for (const [userId, { roles, permissions }] of grants) {
        for (const client of this.sockets.of(userId)) {
          const { sessionId, deviceId, expiresAt } = client.actor;
          client.actor = new Actor(userId, sessionId, deviceId, new Set(permissions), roles, expiresAt);
        }
      }
    }
  }
}
