import { Injectable } from '@nestjs/common';
import type { Db } from '../../platform/database/db.js';
import type { AttachmentView } from './dto/attachment.view.js';

/** Answers what is known of these files, by id; unknown ones are absent. One statement, whatever the number. */
export type AttachmentSource = (mediaIds: readonly string[], db: Db) => Promise<ReadonlyMap<string, AttachmentView>>;

/** How messages see their files. Until a source is set, messages show none. */
@Injectable()
export class AttachmentReader {
  private source: AttachmentSource | undefined;

  use(source: AttachmentSource): void {
    this.source = source;
  }

  async read(mediaIds: readonly string[], db: Db): Promise<ReadonlyMap<string, AttachmentView>> {
    return mediaIds.length === 0 || !this.source ? new Map() : this.source(mediaIds, db);
  }
}
