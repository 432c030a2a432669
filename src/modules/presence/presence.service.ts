import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { UsersService } from '../users/users.service.js';
import { type PresenceView, type RoomPresenceView, toPresenceView } from './dto/presence.view.js';
import { PresenceMoved } from './presence.events.js';
import { findPresence, setMode } from './presence.repository.js';
import { hidden, type PresenceMode, type Shown, shownOf } from './presence.rules.js';
import { PresencePrivacy } from './presence-privacy.service.js';

/** Who is online, as one viewer may know it. Read from the tables each time: nothing here can be stale. */
@Injectable()
export class PresenceService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly privacy: PresencePrivacy,
    private readonly events: EventsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.users.usePresence(async (viewerId, ids) => {
      const shown = await this.shownTo(viewerId, ids);
      return new Map([...shown].map(([id, { state, lastSeen }]) => [id, { isOnline: state !== 'offline', lastSeen }]));
    });
  }

  /** In the order of the ids; who may not be seen, or does not exist, is offline without a time. */
  async states(actor: Actor, ids: readonly string[]): Promise<PresenceView[]> {
    const shown = await this.shownTo(actor.userId, ids);
    return ids.map((id) => toPresenceView(id, shown.get(id) ?? hidden));
  }

  async setMode(actor: Actor, mode: PresenceMode): Promise<void> {
    const changed = await setMode(this.database, actor.userId, mode);
    if (changed > 0) this.events.hint(new PresenceMoved([actor.userId], mode === 'invisible'));
  }

  /** How many members are online, of those the actor may know it of, and how many there are. @throws not_found */
  async ofConversation(actor: Actor, conversationId: string): Promise<RoomPresenceView> {
    await this.conversations.requireMember(actor, conversationId);
    const ids = await this.conversations.activeMemberIds(conversationId);
    const rows = await findPresence(this.database, ids, this.config.PRESENCE_LEASE_TTL);
    const online = rows.filter((row) => shownOf(row).state !== 'offline').map(({ userId }) => userId);
    const visible = await this.privacy.visibleTo(actor.userId, online);
    return { online: visible.size, total: ids.length };
  }

  /** What the viewer sees of those of the ids who are not hidden from them. */
  private async shownTo(viewerId: string, ids: readonly string[]): Promise<Map<string, Shown>> {
    const [visible, rows] = await Promise.all([
      this.privacy.visibleTo(viewerId, ids),
      findPresence(this.database, ids, this.config.PRESENCE_LEASE_TTL),
    ]);
    return new Map(rows.filter(({ userId }) => visible.has(userId)).map((row) => [row.userId, shownOf(row)]));
  }
}
