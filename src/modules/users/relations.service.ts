import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { DomainError, notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery } from '../../platform/http/cursor.js';
import type { UserView } from './dto/user.view.js';
import { ProfilesService } from './profiles.service.js';
import * as relations from './relations.repository.js';
import { blocked, notYourself } from './users.errors.js';
import { BlockChanged, ContactAdded, UserFeedAdvanced } from './users.events.js';
import { findCards } from './users.repository.js';

const MAX_CONTACTS = 5000;
const position = z.tuple([z.iso.datetime(), z.uuid()]);

/** Contacts (whom one follows), followers, and blocks. Adding twice and removing what is not there change nothing. */
@Injectable()
export class RelationsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly profiles: ProfilesService,
  ) {}

  /** @throws not_found, blocked, limit_exceeded, validation_failed for oneself */
  async addContact(actor: Actor, targetId: string): Promise<void> {
    await this.database.tx(async (tx) => {
      await this.requireOther(actor, targetId, tx);
      const [mine, theirs] = [
        await relations.relatedAmong(tx, 'block', actor.userId, [targetId]),
        await relations.relatedBy(tx, 'block', actor.userId, [targetId]),
      ];
      if (mine.size + theirs.size > 0) throw blocked();
      const rev = await relations.addRelation(tx, 'contact', actor.userId, targetId);
      if (rev === undefined) return;
      // Counted after the insert, under the lock of the user's head, so that many at once cannot pass together.
      if ((await relations.countRelations(tx, 'contact', actor.userId)) > MAX_CONTACTS) {
        throw new DomainError('limit_exceeded', { limit: 'contacts', max: MAX_CONTACTS });
      }
      this.announce(actor.userId, rev, tx);
      await this.events.publish(tx, new ContactAdded(targetId, actor.userId));
    });
  }

  async removeContact(actor: Actor, targetId: string): Promise<void> {
    await this.database.tx(async (tx) => {
      const rev = await relations.removeRelation(tx, 'contact', actor.userId, targetId);
      if (rev !== undefined) this.announce(actor.userId, rev, tx);
    });
  }

  /** Blocks a user, who then is no contact any more. @throws not_found, validation_failed for oneself */
  async block(actor: Actor, targetId: string): Promise<void> {
    await this.database.tx(async (tx) => {
      await this.requireOther(actor, targetId, tx);
      const rev = await relations.addRelation(tx, 'block', actor.userId, targetId);
      if (rev === undefined) return;
      const contactRev = await relations.removeRelation(tx, 'contact', actor.userId, targetId);
      this.announce(actor.userId, contactRev ?? rev, tx);
      tx.afterCommit(() => this.events.hint(new BlockChanged(actor.userId, targetId, true)));
    });
  }

  async unblock(actor: Actor, targetId: string): Promise<void> {
    await this.database.tx(async (tx) => {
      const rev = await relations.removeRelation(tx, 'block', actor.userId, targetId);
      if (rev === undefined) return;
      this.announce(actor.userId, rev, tx);
      tx.afterCommit(() => this.events.hint(new BlockChanged(actor.userId, targetId, false)));
    });
  }

  contacts(actor: Actor, query: PageQuery): Promise<Page<UserView>> {
    return this.page(actor, 'contact', 'owner', query);
  }
  /** Users who have the actor among their contacts. */
  followers(actor: Actor, query: PageQuery): Promise<Page<UserView>> {
    return this.page(actor, 'contact', 'target', query);
  }
  blocks(actor: Actor, query: PageQuery): Promise<Page<UserView>> {
    return this.page(actor, 'block', 'owner', query);
  }

  private async page(
    actor: Actor,
    kind: relations.RelationKind,
    by: 'owner' | 'target',
    { cursor, limit }: PageQuery,
  ): Promise<Page<UserView>> {
    const name = `${kind}.${by}`;
    const [at, id] = cursor === undefined ? [] : decodeCursor(name, cursor, position);
    const before = at === undefined || id === undefined ? null : { at, id };
    const rows = await relations.listRelated(this.database, kind, by, actor.userId, before, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last !== undefined ? encodeCursor(name, [last.since, last.id]) : null;
    return { items: await this.profiles.views(actor, shown), next, prev: null };
  }

  private async requireOther(actor: Actor, targetId: string, tx: Tx): Promise<void> {
    if (targetId === actor.userId) throw notYourself();
    const [card] = await findCards(tx, [targetId]);
    if (!card || card.state === 'deleted') throw notFound();
  }

  private announce(userId: string, rev: number, tx: Tx): void {
    tx.afterCommit(() => this.events.announce(new UserFeedAdvanced(userId, rev)));
  }
}
