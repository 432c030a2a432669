import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { epochMs, newId, randomBuffer } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { Log } from '../../platform/logging/log.js';
import { Storage } from '../../platform/storage/storage.js';
import { StorageHealth } from '../../platform/storage/storage-health.js';
import { type MediaView, toMediaView } from './dto/media.view.js';
import type { CreateUpload, SignedQuery } from './dto/upload.dto.js';
import type { UploadView } from './dto/upload.view.js';
import { type Findings, InspectionService } from './inspection.service.js';
import { LinksService } from './links.service.js';
import * as errors from './media.errors.js';
import { MediaReady, MediaUploaded } from './media.events.js';
import * as repository from './media.repository.js';
import { folderOf, isAccepted, type MediaRow, needsProcessing } from './media.rules.js';
import { PartsService } from './parts.service.js';

/** How a file comes in: announced, sent past the application or to the disk, completed. */
@Injectable()
export class UploadsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: Storage,
    private readonly storageHealth: StorageHealth,
    private readonly links: LinksService,
    private readonly parts: PartsService,
    private readonly inspection: InspectionService,
    private readonly events: EventsService,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** @throws payload_too_large, unsupported_media_type, quota_exceeded, dependency_unavailable */
  async create(actor: Actor, { name, size, mime, sha256, purpose }: CreateUpload): Promise<UploadView> {
    const { MEDIA_MAX_BYTES: maxBytes, MEDIA_DAILY_BYTES: dailyBytes } = this.config;
    if (size > maxBytes) throw errors.tooLarge(maxBytes);
    if (!isAccepted(mime, purpose)) throw errors.typeNotAccepted(mime);
    await this.storageHealth.requireUp();
    const media: repository.NewMedia = {
      id: newId(),
      ownerId: actor.userId,
      purpose,
      name,
      mimeClaimed: mime,
      size,
      sha256: sha256 ?? null,
      storageKey: newUploadKey(),
      driver: this.storage.driver,
      partBytes: this.parts.partBytesFor(size),
    };
    const createdAt = await this.database.tx(async (tx) => {
      if ((await repository.lockedUsage(tx, actor.userId)) + size > dailyBytes) throw errors.quotaExceeded(dailyBytes);
      return repository.insertMedia(tx, media);
    });
    const link = await this.links.forUpload(media);
    return { mediaId: media.id, ...link, maxBytes: size, expiresAt: this.endOf({ ...media, createdAt }).toISOString() };
  }

  /**
   * Takes the bytes for whoever holds the link, where the store cannot.
   * @throws signature_invalid, upload_expired, payload_too_large, dependency_unavailable
   */
  async receive(id: string, query: SignedQuery, source: Readable, length: number | undefined): Promise<void> {
    this.links.verifyUpload(id, query);
    const row = await repository.findMedia(this.database, id);
    const { access } = this.storage;
    if (row?.state !== 'pending' || access.kind !== 'own') throw errors.uploadExpired();
    if (length !== undefined && length > row.size) throw errors.tooLarge(row.size);
    await access.receive(row.storageKey, source, row.size);
  }

  /**
   * Says that the bytes are there. They are taken out of reach of the upload link before anything looks at them, so that
   * what was checked is what is served: copied, or joined from their parts. The same call again answers the same.
   * @throws not_found, upload_missing, upload_expired, media_rejected
   */
  async complete(actor: Actor, id: string): Promise<MediaView> {
    const row = await this.requireOwn(actor, id);
    if (row.state !== 'pending') return settled(row);
    const folder = folderOf(row.storageKey);
    const key = row.partBytes === null ? `${folder}${newPart()}` : row.storageKey;
    const findings = await this.take(row, key);
    if (findings === undefined) return this.missing(actor, row);
    if (!(await this.settle(row, key, findings))) {
      // Another call was faster; what it found counts.
      if (key !== row.storageKey) await this.storage.delete([key]);
      return settled(await this.requireOwn(actor, id));
    }
    await this.tidy(folder, findings.reason === null ? [key] : []);
    return settled(await this.requireOwn(actor, id));
  }

  /** Undefined when nothing was sent. */
  private async take(row: MediaRow, key: string): Promise<Findings | undefined> {
    try {
      await this.parts.join(row);
      return key === row.storageKey || (await this.storage.copy(row.storageKey, key, row.size))
        ? await this.inspection.inspect(key, row)
        : undefined;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'dependency_unavailable') this.storageHealth.suspect();
      throw error;
    }
  }

  private async settle(row: MediaRow, storageKey: string, { mime, sha256, reason }: Findings): Promise<boolean> {
    const checked = mime !== null && !needsProcessing(mime) && this.config.MEDIA_SCAN_URL === undefined;
    const state = reason !== null ? 'rejected' : checked ? 'ready' : 'uploaded';
    return this.database.tx(async (tx) => {
      const won = await repository.settleUpload(tx, row.id, { storageKey, state, mime, sha256, reason });
      if (won && state === 'ready') await this.events.publish(tx, new MediaReady(row.id, row.ownerId));
      if (won && state === 'uploaded') tx.afterCommit(() => this.events.hint(new MediaUploaded(row.id)));
      return won;
    });
  }

  private async missing(actor: Actor, row: MediaRow): Promise<MediaView> {
    const now = await this.requireOwn(actor, row.id);
    if (now.state !== 'pending') return settled(now);
    throw this.endOf(row).getTime() <= epochMs() ? errors.uploadExpired() : errors.uploadMissing();
  }

  /** When the link to send it with expires. */
  private endOf(row: Pick<MediaRow, 'createdAt' | 'partBytes'>): Date {
    if (row.partBytes !== null) return this.parts.endOf(row);
    return new Date(row.createdAt.getTime() + this.config.MEDIA_UPLOAD_TTL * 1000);
  }

  /** What stays behind costs room and nothing else: it is gone with the file at the latest. */
  private async tidy(folder: string, kept: readonly string[]): Promise<void> {
    await this.storage
      .clear(folder, kept)
      .catch((error: unknown) => this.log.warn('media.tidy_failed', { err: error }));
  }

  private async requireOwn(actor: Actor, id: string): Promise<MediaRow> {
    const row = await repository.findMedia(this.database, id);
    if (row?.ownerId !== actor.userId || row.state === 'deleted') throw errors.notFound();
    return row;
  }
}

function settled(row: MediaRow): MediaView {
  if (row.state === 'rejected') throw errors.mediaRejected(row.rejectReason ?? 'unknown');
  return toMediaView(row);
}

/** Where an upload lies. The folder is the home of everything made of it: nobody guesses it, and no folder gets too many entries. */
function newUploadKey(): string {
  const name = randomBuffer(20).toString('hex');
  return `media/${name.slice(0, 2)}/${name}/upload`;
}

/** Name of one object; a new one for every content, since objects never change. */
export const newPart = (): string => randomBuffer(8).toString('hex');
