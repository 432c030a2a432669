import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Log } from '../../platform/logging/log.js';
import { Storage } from '../../platform/storage/storage.js';
import { ImageService, type Rendition, UnacceptableImage } from './image.service.js';
import { MediaReady, MediaWithdrawn } from './media.events.js';
import * as repository from './media.repository.js';
import { folderOf, isImage, type MediaRow, type VariantRow } from './media.rules.js';
import { ProbeService } from './probe.service.js';
import { ScanService } from './scan.service.js';
import { newPart } from './uploads.service.js';

/** Images decoded at once in this process: each may take half a gigabyte. */
const LANES = 2;
const POLL_MS = 5000;
const MAX_BACKOFF_MS = 60_000;
const FAILURES_IN_A_ROW = 3;

/**
 * Checks files and makes their renditions. The rows are the queue: claimed with SKIP LOCKED on any replica, given back when
 * store or scanner are away, so nothing is lost with a process.
 */
@Injectable()
export class ProcessingService implements OnModuleInit {
  private readonly stopping = new AbortController();
  private readonly sleeping = new Set<() => void>();
  private lanes: Promise<void>[] = [];

  constructor(
    private readonly database: DatabaseService,
    private readonly storage: Storage,
    private readonly images: ImageService,
    private readonly scanner: ScanService,
    private readonly prober: ProbeService,
    private readonly events: EventsService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.background.registerTask({
      name: 'media.process',
      start: () => {
        this.lanes = Array.from({ length: LANES }, () => this.lane());
      },
      stop: async () => {
        this.stopping.abort();
        this.wake();
        await Promise.all(this.lanes);
      },
    });
  }

  /** There is something to do. */
  wake(): void {
    for (const wake of this.sleeping) wake();
  }

  private async lane(): Promise<void> {
    for (let failures = 0; !this.stopping.signal.aborted;) {
      let worked = false;
      try {
        worked = await this.next();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.log.warn('media.processing_failed', { err: error });
      }
      // A file that fails may be alone in it; when everything does, store or scanner are away.
      const tired = failures - FAILURES_IN_A_ROW;
      if (tired >= 0) await this.rest(Math.min(POLL_MS * 2 ** tired, MAX_BACKOFF_MS));
      else if (!worked && failures === 0) await this.rest(POLL_MS);
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.sleeping.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      if (this.stopping.signal.aborted) wake();
      else this.sleeping.add(wake);
    });
  }

  /** False when nothing waits. */
  private async next(): Promise<boolean> {
    for (const row of await repository.listFatal(this.database)) await this.withdraw(row, 'rejected', 'unprocessable');
    const row = await repository.claim(this.database, this.storage.driver);
    if (!row) return false;
    try {
      await this.process(row);
    } catch (error) {
      if (error instanceof UnacceptableImage) await this.withdraw(row, 'rejected', error.reason);
      else {
        await repository.unclaim(this.database, row.id);
        throw error;
      }
    }
    return true;
  }

  private async process(row: MediaRow): Promise<void> {
    if (this.scanner.enabled && row.rejectReason !== repository.RELEASED) {
      const content = await this.storage.read(row.storageKey);
      const threat = content && (await this.scanner.scan(row.id, content));
      if (threat) return this.withdraw(row, 'quarantined', threat);
    }
    if (row.mime === null || !isImage(row.mime)) {
      if (!(await this.storage.head(row.storageKey))) return this.withdraw(row, 'rejected', 'lost');
      return this.publish(
        row,
        row.mime === null ? row : { ...row, ...(await this.prober.probe(row.storageKey, row.mime)) },
      );
    }
    const content = await this.storage.read(row.storageKey);
    if (!content) return this.withdraw(row, 'rejected', 'lost');
    const { original, thumb, medium, blurhash } = await this.images.render(await buffer(content), row.mime);
    const variants = [await this.store(row, 'thumb', thumb), await this.store(row, 'medium', medium)];
    const { storageKey } = await this.store(row, 'original', original);
    const { width, height, bytes } = original;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.publish(row, {
      ...row,
      storageKey,
      size: bytes.length,
      sha256,
      width,
      height,
      blurhash,
      variants,
    });
  }

  private async store(row: MediaRow, variant: string, { bytes, mime, width, height }: Rendition): Promise<VariantRow> {
    const storageKey = `${folderOf(row.storageKey)}${newPart()}`;
    await this.storage.put(storageKey, bytes, mime);
    return { variant, storageKey, mime, size: bytes.length, width, height };
  }

  private async publish(row: MediaRow, found: repository.Processed): Promise<void> {
    const made = [found.storageKey, ...found.variants.map(({ storageKey }) => storageKey)];
    const shown = await this.database.tx(async (tx) => {
      const done = await repository.setReady(tx, row.id, found);
      if (done) await this.events.publish(tx, new MediaReady(row.id, row.ownerId));
      return done;
    });
    // Where another holder was faster or the file is deleted, only what was made here is superfluous.
    if (shown) await this.storage.clear(folderOf(row.storageKey), made);
    else await this.storage.delete(made.filter((key) => key !== row.storageKey));
  }

  private async withdraw(row: MediaRow, state: 'rejected' | 'quarantined', reason: string): Promise<void> {
    await this.database.tx(async (tx) => {
      if (await repository.withdraw(tx, row.id, state, reason, ['processing']))
        await this.events.publish(tx, new MediaWithdrawn(row.id, row.ownerId, state));
    });
    this.log.info('media.refused', { mediaId: row.id, state, reason });
  }
}
