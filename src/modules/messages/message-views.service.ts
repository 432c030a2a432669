import { Injectable } from '@nestjs/common';
import type { Db } from '../../platform/database/db.js';
import { AttachmentReader } from './attachment-reader.service.js';
import type { AttachmentView } from '../media/dto/attachment.view.js';
import { toCallView } from './dto/call.view.js';
import { type MessageView, toMessageView } from './dto/message.view.js';
import { toThreadView } from './dto/thread.view.js';
import type { FullMessageRow } from './messages.repository.js';

/** Makes views of rows, with at most one more statement, for the files of all of them. */
@Injectable()
export class MessageViews {
  constructor(private readonly attachments: AttachmentReader) {}

  async of(rows: readonly FullMessageRow[], db: Db): Promise<MessageView[]> {
    const files = await this.attachments.read([...new Set(rows.flatMap((row) => row.attachmentIds ?? []))], db);
    return rows.map((row) =>
      toMessageView(row, {
        attachments: pick(row.attachmentIds ?? [], files),
        reactions: row.reactions ?? [],
        thread: row.thread && toThreadView(row.thread),
        call: row.call && toCallView(row.call),
      }),
    );
  }

  async ofOne(row: FullMessageRow, db: Db): Promise<MessageView> {
    const [view] = await this.of([row], db);
    if (!view) throw new Error('a row without a view');
    return view;
  }

  /** Files in the order the sender gave; those that nobody knows are left out. */
  async files(mediaIds: readonly string[], db: Db): Promise<AttachmentView[]> {
    return pick(mediaIds, await this.attachments.read(mediaIds, db));
  }
}

const pick = (ids: readonly string[], files: ReadonlyMap<string, AttachmentView>): AttachmentView[] =>
  ids.flatMap((id) => files.get(id) ?? []);
