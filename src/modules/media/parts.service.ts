import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { epochMs } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Log } from '../../platform/logging/log.js';
import {
  type PartedAccess,
  partCountOf,
  type PartedUpload,
  partSizeOf,
  Storage,
} from '../../platform/storage/storage.js';
import type { PartsQuery } from './dto/upload.dto.js';
import type { PartsView } from './dto/upload.view.js';
import * as errors from './media.errors.js';
import { findMedia, noteUpload } from './media.repository.js';
import type { MediaRow } from './media.rules.js';

/** How long an upload in parts may go on. */
const LIFE_MS = 24 * 3_600_000;

/** Large files on their way to a store that takes them in parts. What has arrived, the store is asked. */
@Injectable()
export class PartsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: Storage,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** Bytes of a part of a file of this size; null when it is sent in one piece. */
  partBytesFor(size: number): number | null {
    return this.access?.partBytesFor(size) ?? null;
  }

  endOf({ createdAt }: Pick<MediaRow, 'createdAt'>): Date {
    return new Date(createdAt.getTime() + LIFE_MS);
  }

  /**
   * Some parts, and links for those that are not there yet. Asked again, it answers what has arrived meanwhile: whoever lost
   * the thread finds it here.
   * @throws not_found, invalid_state (not in parts, or completed), upload_expired, validation_failed (no such part)
   */
  async page(actor: Actor, id: string, { from, limit }: PartsQuery): Promise<PartsView> {
    const row = await findMedia(this.database, id);
    if (row?.ownerId !== actor.userId || row.state === 'deleted') throw errors.notFound();
    if (row.state !== 'pending') throw errors.uploadOver(row.state);
    if (row.partBytes === null || !this.access) throw errors.notInParts();
    if (this.endOf(row).getTime() <= epochMs()) throw errors.uploadExpired();
    const { access } = this;
    const upload = await this.begun(access, { ...row, partBytes: row.partBytes });
    const count = partCountOf(upload);
    if (from > count) throw errors.unknownPart(count);
    const to = Math.min(count, from + limit - 1);
    const present = await access.listPresent(upload, from, to);
    const expiresInS = this.config.MEDIA_UPLOAD_TTL;
    const expiresAt = new Date(epochMs() + expiresInS * 1000).toISOString();
    // Joined already and not yet completed here: nothing is left to be sent.
    const isThere = (number: number): boolean => present === undefined || present.has(number);
    const items = Array.from({ length: to - from + 1 }, async (_, i) => {
      const number = from + i;
      const url = isThere(number) ? null : await access.sign(upload, number, expiresInS);
      return { number, size: partSizeOf(upload, number), url };
    });
    return { items: await Promise.all(items), count, partBytes: upload.partBytes, expiresAt };
  }

  /** Makes the object of its parts. May be repeated. @throws upload_missing, with the numbers of the parts that are not there */
  async join(row: MediaRow): Promise<void> {
    const upload = startedUpload(row);
    if (!upload || !this.access) return;
    const missing = await this.access.join(upload);
    if (missing.length > 0) throw errors.partsMissing(missing);
  }

  /** Gives back the room of an upload that was called off. What this does not reach, the sweep does. */
  async cancel(row: MediaRow): Promise<void> {
    if (row.uploadId === null) return;
    await this.access
      ?.abort(row.storageKey, row.uploadId)
      .catch((error: unknown) => this.log.warn('media.tidy_failed', { err: error }));
  }

  private get access(): PartedAccess | undefined {
    return this.storage.access.kind === 'direct' ? this.storage.access.parts : undefined;
  }

  /** The upload as the store knows it; it hears of it when somebody first asks for links. */
  private async begun(access: PartedAccess, row: MediaRow & { partBytes: number }): Promise<PartedUpload> {
    const started = startedUpload(row);
    if (started) return started;
    const { id, storageKey: key, size, partBytes, mimeClaimed } = row;
    const own = await access.begin(key, mimeClaimed);
    const uploadId = await noteUpload(this.database, id, own);
    // Somebody asked at the same time, or it is over.
    if (uploadId !== own) await access.abort(key, own);
    if (uploadId === undefined) throw errors.notFound();
    return { key, uploadId, size, partBytes };
  }
}

function startedUpload({ storageKey: key, uploadId, size, partBytes }: MediaRow): PartedUpload | undefined {
  return uploadId === null || partBytes === null ? undefined : { key, uploadId, size, partBytes };
}
