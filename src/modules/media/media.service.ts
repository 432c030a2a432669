import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { UsersService } from '../users/users.service.js';
import { type AttachmentView, toAttachmentView } from './dto/attachment.view.js';
import { type MediaView, toMediaView } from './dto/media.view.js';
import { toWithheldView, type WithheldQuery, type WithheldView } from './dto/withheld.view.js';
import type { MediaReconciliation } from './dto/reconciliation.view.js';
import * as errors from './media.errors.js';
import { MediaReady, MediaUploaded, MediaWithdrawn } from './media.events.js';
import * as repository from './media.repository.js';
import type { MediaRow, MediaState } from './media.rules.js';
import { PartsService } from './parts.service.js';
import { ReconcileService } from './reconcile.service.js';

/** Where files are shown, as the module that shows them knows it. */
export interface MediaUses {
  /** Whether the user may see something live that shows the file. */
  showsTo(actor: Actor, mediaId: string): Promise<boolean>;
  /** Whether anything live shows the file. */
  isShown(mediaId: string, db: Db): Promise<boolean>;
}

const everyLiveState: readonly MediaState[] = ['pending', 'uploaded', 'processing', 'ready', 'rejected', 'quarantined'];

const CURSOR = 'media-withheld';

/** Who may see a file, and what becomes of it. */
@Injectable()
export class MediaService implements OnModuleInit {
  private readonly uses: MediaUses[] = [];

  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly events: EventsService,
    private readonly parts: PartsService,
    private readonly reconciler: ReconcileService,
  ) {}

  onModuleInit(): void {
    this.users.useAvatars((userId, mediaId, tx) => this.bindAvatar(userId, mediaId, tx));
  }

  /** For modules that show files, in their `onModuleInit`. What nobody vouches for, nobody but the owner sees. */
  registerUses(uses: MediaUses): void {
    this.uses.push(uses);
  }

  /** Files as messages show them, by id; unknown ones are absent. One statement, whatever the number. */
  async attachments(ids: readonly string[], db: Db): Promise<ReadonlyMap<string, AttachmentView>> {
    const rows = await repository.findMany(db, ids);
    return new Map(rows.map((row) => [row.id, toAttachmentView(row)]));
  }

  /** Makes a file an avatar. @throws validation_failed unless it is a usable avatar of the user's own */
  async bindAvatar(userId: string, mediaId: string, tx: Tx): Promise<void> {
    if (!(await repository.bindAvatar(tx, userId, mediaId))) throw errors.unknownAvatar();
  }

  /** @throws not_found */
  async get(actor: Actor, id: string): Promise<MediaView> {
    return toMediaView(await this.requireVisible(actor, id));
  }

  /** A file the actor may see at this moment. Asked at each fetch, so rights that end, end here. @throws not_found */
  async requireVisible(actor: Actor, id: string): Promise<MediaRow> {
    const row = await repository.findMedia(this.database, id);
    if (row && row.state !== 'deleted' && (await this.maySee(actor, row))) return row;
    throw errors.notFound();
  }

  /** Takes an own file away. What was deleted stays deleted. @throws not_found, invalid_state (still bound) */
  async delete(actor: Actor, id: string): Promise<void> {
    const row = await repository.findMedia(this.database, id);
    if (row?.ownerId !== actor.userId) throw errors.notFound();
    await this.database.tx(async (tx) => {
      // First, since it locks the row: who binds it now waits, and finds it gone.
      const gone = await repository.withdraw(tx, id, 'deleted', null, everyLiveState);
      if (!gone) return;
      if (await this.isBound(gone, tx)) throw errors.stillBound();
      if (gone.boundAt !== null) await this.events.publish(tx, new MediaWithdrawn(id, row.ownerId, 'deleted'));
    });
    if (row.state === 'pending') await this.parts.cancel(row);
  }

  /** Keeps a file from everybody, its owner included, without removing it. @throws forbidden, not_found */
  async quarantine(actor: Actor, id: string, reason: string, tx: Tx): Promise<MediaView> {
    return this.moderate(actor, id, 'quarantined', reason, tx);
  }

  /** Deletes a file wherever it is shown. @throws forbidden, not_found */
  async remove(actor: Actor, id: string, reason: string | null, tx: Tx): Promise<void> {
    await this.moderate(actor, id, 'deleted', reason, tx);
  }

  /** What is kept from everybody, newest first. @throws forbidden, invalid_cursor */
  async listWithheld(actor: Actor, { state, cursor, limit }: WithheldQuery): Promise<Page<WithheldView>> {
    requirePermission(actor, 'media.moderate');
    const [before = null] = cursor === undefined ? [] : decodeCursor(CURSOR, cursor, z.tuple([z.uuid()]));
    const rows = await repository.listInState(this.database, state, before, limit + 1);
    return toPage(rows, limit, toWithheldView, ({ id }) => encodeCursor(CURSOR, [id]));
  }

  /**
   * Gives a quarantined file back. One that had not passed all its checks goes on with them, without the scanner that found
   * something. @throws forbidden, not_found, invalid_state (not quarantined)
   */
  async release(actor: Actor, id: string, tx: Tx): Promise<MediaView> {
    requirePermission(actor, 'media.moderate');
    const row = await repository.release(tx, id);
    if (!row) {
      const known = (await repository.findMany(tx, [id]))[0];
      throw known ? errors.notQuarantined(known.state) : errors.notFound();
    }
    if (row.state === 'ready') await this.events.publish(tx, new MediaReady(id, row.ownerId));
    if (row.state === 'uploaded') tx.afterCommit(() => this.events.hint(new MediaUploaded(id)));
    return toMediaView(row);
  }

  /** Compares store and table, for the operator at the command line. @throws dependency_unavailable */
  reconcile(options: { apply: boolean }): Promise<MediaReconciliation> {
    return this.reconciler.run(options);
  }

  private async moderate(
    actor: Actor,
    id: string,
    state: 'quarantined' | 'deleted',
    reason: string | null,
    tx: Tx,
  ): Promise<MediaView> {
    requirePermission(actor, 'media.moderate');
    const row = await repository.withdraw(tx, id, state, reason, everyLiveState);
    if (!row) throw errors.notFound();
    await this.events.publish(tx, new MediaWithdrawn(id, row.ownerId, state));
    return toMediaView(row);
  }

  private async maySee(actor: Actor, row: MediaRow): Promise<boolean> {
    if (row.ownerId === actor.userId) return true;
    if (row.boundAt === null) return false;
    if (row.purpose === 'avatar') return true;
    for (const uses of this.uses) if (await uses.showsTo(actor, row.id)) return true;
    return false;
  }

  /** An avatar that was bound stays so: profiles and conversations do not say when they show another one. */
  private async isBound(row: MediaRow, db: Db): Promise<boolean> {
    if (row.boundAt === null) return false;
    if (row.purpose === 'avatar') return true;
    for (const uses of this.uses) if (await uses.isShown(row.id, db)) return true;
    return false;
  }
}
