import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { etagOf, requireMatch } from '../../platform/http/conditional.js';
import { type Preferences, withDefaults } from './dto/preferences.view.js';
import { findPreferences, savePreferences } from './preferences.repository.js';
import { UserFeedAdvanced } from './users.events.js';
import { lockUser } from './users.repository.js';

export interface VersionedPreferences {
  preferences: Preferences;
  etag: string;
}

/** What a user wants to be told, and what others may see and do. */
@Injectable()
export class PreferencesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
  ) {}

  get(actor: Actor): Promise<VersionedPreferences> {
    return this.read(actor.userId, this.database);
  }

  /** Replaces the whole. @throws precondition_failed */
  async put(actor: Actor, preferences: Preferences, match: string): Promise<VersionedPreferences> {
    return this.database.tx(async (tx) => {
      if (!(await lockUser(tx, actor.userId))) throw notFound();
      const current = await this.read(actor.userId, tx);
      requireMatch(match, current.etag);
      if (isDeepStrictEqual(current.preferences, preferences)) return current;
      const { rev } = await savePreferences(tx, actor.userId, preferences);
      tx.afterCommit(() => this.events.announce(new UserFeedAdvanced(actor.userId, rev)));
      return { preferences, etag: etagFor(actor.userId, rev) };
    });
  }

  private async read(userId: string, db: Db): Promise<VersionedPreferences> {
    const [row] = await findPreferences(db, [userId]);
    return { preferences: withDefaults(row), etag: etagFor(userId, row?.rev ?? 0) };
  }
}

const etagFor = (userId: string, rev: number): string => etagOf(`preferences.${userId}`, rev);
