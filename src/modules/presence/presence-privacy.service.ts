import { Injectable } from '@nestjs/common';
import { ConversationsService } from '../conversations/conversations.service.js';
import { UsersService } from '../users/users.service.js';

/** Who may see whose presence: blocks, and both sides' `privacy.presence`. */
@Injectable()
export class PresencePrivacy {
  constructor(
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
  ) {}

  /** Those of the ids whose presence the viewer may see. Everybody sees themselves; who chose `nobody` sees nobody else. */
  async visibleTo(viewerId: string, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const [preferences, blocked, trusting, sharing] = await Promise.all([
      this.users.preferencesOf([viewerId, ...ids]),
      this.users.blockedAmong(viewerId, ids),
      this.users.contactOwnersAmong(viewerId, ids),
      this.conversations.sharing(viewerId, ids),
    ]);
    const choice = (id: string) => preferences.get(id)?.privacy.presence ?? 'nobody';
    const seesNobody = choice(viewerId) === 'nobody';
    const mayKnow = (id: string): boolean => {
      if (seesNobody || blocked.has(id)) return false;
      if (choice(id) === 'everyone') return true;
      return choice(id) === 'shared' && (trusting.has(id) || sharing.has(id));
    };
    return new Set(ids.filter((id) => id === viewerId || mayKnow(id)));
  }

  /** The same from the other side: those of the viewers who may see the user. */
  async viewersOf(userId: string, viewerIds: readonly string[]): Promise<Set<string>> {
    if (viewerIds.length === 0) return new Set();
    const [preferences, blocked, trusted, sharing] = await Promise.all([
      this.users.preferencesOf([userId, ...viewerIds]),
      this.users.blockedAmong(userId, viewerIds),
      this.users.contactsAmong(userId, viewerIds),
      this.conversations.sharing(userId, viewerIds),
    ]);
    const choice = (id: string) => preferences.get(id)?.privacy.presence ?? 'nobody';
    const own = choice(userId);
    const mayKnow = (viewer: string): boolean => {
      if (choice(viewer) === 'nobody' || blocked.has(viewer)) return false;
      return own === 'everyone' || (own === 'shared' && (trusted.has(viewer) || sharing.has(viewer)));
    };
    return new Set(viewerIds.filter((viewer) => viewer === userId || mayKnow(viewer)));
  }
}
