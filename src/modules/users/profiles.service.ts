import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound, validationFailed } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { etagOf, requireMatch } from '../../platform/http/conditional.js';
import { decodeCursor, encodeCursor, type Page } from '../../platform/http/cursor.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { refuseTaken } from './accounts.service.js';
import type { UpdateProfile, UserQuery } from './dto/profile.dto.js';
import { type SelfView, toSelfView, toUserView, type UserView } from './dto/user.view.js';
import { relatedAmong } from './relations.repository.js';
import { searchUsers } from './search.repository.js';
import { UserSources } from './sources.service.js';
import { UserUpdated } from './users.events.js';
import { findUser, findUsers, lockUser, updateProfile, type UserRow } from './users.repository.js';

const SEARCH = 'users';
const searchPosition = z.tuple([z.number().int(), z.uuid()]);

/** Profiles: one's own, those of others, and finding people. */
@Injectable()
export class ProfilesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly limiter: RateLimiter,
    private readonly sources: UserSources,
  ) {}

  async me(actor: Actor): Promise<SelfView> {
    const row = await findUser(this.database, actor.userId);
    if (!row) throw notFound();
    return this.self(actor, row);
  }

  /**
   * Changes members of one's own profile.
   * @param match what If-Match demands
   * @throws precondition_failed, already_exists (handle)
   */
  async update(actor: Actor, change: UpdateProfile, match: string): Promise<SelfView> {
    const row = await this.database.tx(async (tx) => {
      const current = await lockUser(tx, actor.userId);
      if (!current) throw notFound();
      requireMatch(match, profileEtag(current));
      if (!differs(current, change)) return current;
      await this.bindAvatar(actor, current, change, tx);
      const updated = await refuseTaken(updateProfile(tx, actor.userId, change));
      if (!updated) throw notFound();
      await this.events.publish(tx, new UserUpdated(updated.id, updated.rev));
      return updated;
    });
    return this.self(actor, row);
  }

  /** @throws not_found */
  async get(actor: Actor, id: string): Promise<UserView> {
    const [view] = await this.views(actor, await findUsers(this.database, [id]));
    if (!view) throw notFound();
    return view;
  }

  /** By ids, in their order, unknown ones left out; or by a query, best match first. */
  async find(actor: Actor, input: UserQuery): Promise<Page<UserView>> {
    if (input.ids !== undefined) {
      const rows = new Map((await findUsers(this.database, input.ids)).map((row) => [row.id, row]));
      const ordered = [...new Set(input.ids)].flatMap((id) => rows.get(id) ?? []);
      return { items: await this.views(actor, ordered), next: null, prev: null };
    }
    await this.limiter.consume('search', actor.userId, { route: 'GET /api/v1/users', userId: actor.userId });
    const position = input.cursor === undefined ? null : decodeCursor(SEARCH, input.cursor, searchPosition);
    const rows = await searchUsers(this.database, actor.userId, input.query ?? '', position, input.limit + 1);
    const shown = rows.slice(0, input.limit);
    const last = shown.at(-1);
    const next = rows.length > input.limit && last !== undefined ? encodeCursor(SEARCH, [last.rank, last.id]) : null;
    return { items: await this.views(actor, shown), next, prev: null };
  }

  /** Rows as the actor may see them. */
  async views(actor: Actor, rows: readonly UserRow[]): Promise<UserView[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const [contacts, blocks, presence] = await Promise.all([
      relatedAmong(this.database, 'contact', actor.userId, ids),
      relatedAmong(this.database, 'block', actor.userId, ids),
      this.sources.presence(actor.userId, ids),
    ]);
    return rows.map((row) =>
      toUserView(row, { isContact: contacts.has(row.id), isBlocked: blocks.has(row.id) }, presence.get(row.id)),
    );
  }

  async self(actor: Actor, row: UserRow): Promise<SelfView> {
    const presence = await this.sources.presence(actor.userId, [row.id]);
    return toSelfView(row, actor, presence.get(row.id));
  }

  private async bindAvatar(actor: Actor, current: UserRow, change: UpdateProfile, tx: Tx): Promise<void> {
    const { avatarMediaId } = change;
    if (avatarMediaId === undefined || avatarMediaId === null || avatarMediaId === current.avatarMediaId) return;
    if (!this.sources.avatars)
      throw validationFailed({ path: 'avatarMediaId', code: 'unknown_media', message: 'No such file' });
    await this.sources.avatars(actor.userId, avatarMediaId, tx);
  }
}

export const profileEtag = (user: { id: string; rev: number }): string => etagOf(`user.${user.id}`, user.rev);

const differs = (row: UserRow, change: UpdateProfile): boolean =>
  Object.entries(change).some(([name, value]) => row[name as keyof UpdateProfile] !== value);
