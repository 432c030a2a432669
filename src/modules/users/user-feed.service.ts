import { Injectable } from '@nestjs/common';
import { Actors } from '../../platform/auth/actors.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import type { UserChange, UserReader } from '../../platform/realtime/feeds.js';
import { withDefaults } from './dto/preferences.view.js';
import { toSelfView } from './dto/user.view.js';
import { findPreferences } from './preferences.repository.js';
import { changedRelations, type RelationKind } from './relations.repository.js';
import { findUser } from './users.repository.js';

/** The part of a user's feed that users owns: profile, preferences, contacts, blocks. */
@Injectable()
export class UserFeedService {
  constructor(
    private readonly database: DatabaseService,
    private readonly actors: Actors,
  ) {}

  /** Rows with `after < rev <= upTo`; each kind ascending and at most `limit` long, which is what the merge needs. */
  readonly read: UserReader = async (userId, after, upTo, limit, db = this.database) => {
    const inside = (rev: number) => rev > after && rev <= upTo;
    const user = await findUser(db, userId);
    const [preferences] = await findPreferences(db, [userId]);
    const contacts = await this.relations('contact', userId, after, upTo, limit, db);
    const blocks = await this.relations('block', userId, after, upTo, limit, db);
    const changes: UserChange[] = [...contacts, ...blocks];
    if (user && inside(user.rev)) {
      changes.push({ rev: user.rev, t: 'profile', v: toSelfView(user, await this.actors.grantsOf(userId, db)) });
    }
    if (preferences && inside(preferences.rev)) {
      changes.push({ rev: preferences.rev, t: 'preferences', v: withDefaults(preferences) });
    }
    return changes.toSorted((a, b) => a.rev - b.rev).slice(0, limit);
  };

  private async relations(
    t: RelationKind,
    userId: string,
    after: number,
    upTo: number,
    limit: number,
    db: Db,
  ): Promise<UserChange[]> {
    const rows = await changedRelations(db, t, userId, after, upTo, limit);
    return rows.map(({ rev, targetId, createdAt, deletedAt }) => ({
      rev,
      t,
      v: { userId: targetId, createdAt: createdAt.toISOString(), rev, deleted: deletedAt !== null },
    }));
  }
}
