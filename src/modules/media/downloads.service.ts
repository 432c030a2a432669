import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Storage } from '../../platform/storage/storage.js';
import type { SignedQuery, VariantName } from './dto/upload.dto.js';
import type { LinkView } from './dto/upload.view.js';
import { LinksService } from './links.service.js';
import { notFound, notReady } from './media.errors.js';
import { findMedia } from './media.repository.js';
import { contentTypeOf, dispositionOf, renditionOf } from './media.rules.js';
import { MediaService } from './media.service.js';

/** One rendition on this machine, and how it is answered. */
export interface ServedFile {
  root: string;
  path: string;
  contentType: string;
  disposition: string;
  /** Quoted; another content has another one. */
  etag: string;
}

/** How a file goes out: rights first, then a short link, then the bytes. */
@Injectable()
export class DownloadsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly media: MediaService,
    private readonly links: LinksService,
    private readonly storage: Storage,
  ) {}

  /** @throws not_found, invalid_state (not ready) */
  async link(actor: Actor, id: string, variant: VariantName): Promise<LinkView> {
    const row = await this.media.requireVisible(actor, id);
    if (row.state !== 'ready') throw notReady(row.state);
    return this.links.forDownload(row, variant);
  }

  /** What a link to Parley's own route leads to. @throws signature_invalid, not_found */
  async open(id: string, variant: VariantName, query: SignedQuery): Promise<ServedFile> {
    this.links.verifyDownload(id, variant, query);
    const row = await findMedia(this.database, id);
    const { access } = this.storage;
    // Deleted or quarantined since the link was made.
    const rendition = row?.state === 'ready' ? renditionOf(row, variant) : undefined;
    if (!row || !rendition || access.kind !== 'own') throw notFound();
    return {
      ...access.locate(rendition.storageKey),
      contentType: contentTypeOf(rendition.mime),
      disposition: dispositionOf(rendition.mime, row.name),
      etag: `"${rendition.storageKey.slice(rendition.storageKey.lastIndexOf('/') + 1)}"`,
    };
  }
}
