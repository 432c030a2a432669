import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Storage } from '../../platform/storage/storage.js';
import { type MediaRow, typeOf } from './media.rules.js';

/** Magic numbers are looked for in this many bytes. */
const HEAD_BYTES = 4096;

/** What a file turned out to be. `reason` is set when it is refused. */
export interface Findings {
  mime: string | null;
  sha256: string;
  reason: 'size_mismatch' | 'checksum_mismatch' | 'type_mismatch' | null;
}

/** Looks at what was sent: nothing the owner said of it is believed. */
@Injectable()
export class InspectionService {
  constructor(private readonly storage: Storage) {}

  /** Undefined when there is no such object. */
  async inspect(key: string, row: MediaRow): Promise<Findings | undefined> {
    const object = await this.storage.head(key);
    if (!object) return undefined;
    if (object.size !== row.size) return { mime: null, sha256: '', reason: 'size_mismatch' };
    const stream = await this.storage.read(key);
    if (!stream) return undefined;
    const hash = createHash('sha256');
    let head: Buffer = Buffer.alloc(0);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
    }
    const sha256 = hash.digest('hex');
    if (row.sha256 !== null && row.sha256 !== sha256) return { mime: null, sha256, reason: 'checksum_mismatch' };
    const { fileTypeFromBuffer } = await import('file-type');
    const mime = typeOf(row.mimeClaimed, (await fileTypeFromBuffer(head))?.mime, head);
    return mime === undefined ? { mime: null, sha256, reason: 'type_mismatch' } : { mime, sha256, reason: null };
  }
}
