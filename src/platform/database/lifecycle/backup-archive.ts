import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

import type { Manifest } from './manifest.js';
import type { TableContent, TableSum } from './table-sums.js';

/**
 * The built-in archive: gzip over lines. A header; per table its `TableContent`, its rows in COPY text format, `\.`, its
 * `TableSum`; then the end, without which the file is torn. Readable with `zcat`.
 */
export const ARCHIVE_FORMAT = 'parley-backup-1';

export interface ArchiveHeader {
  format: typeof ARCHIVE_FORMAT;
  appVersion: string;
  serverVersion: string;
  /** ISO instant of the snapshot, by the server's clock. */
  takenAt: string;
  schema: string;
  /** The live schema in full, with what an operator added; migrations and head as the history had them. */
  manifest: Manifest;
}

export interface SequenceState {
  home: TableContent['home'];
  /** Table and column it belongs to; '' for a sequence of its own, then `name` says which. */
  table: string;
  column: string;
  name: string;
  lastValue: string;
  isCalled: boolean;
}

export interface ArchiveEnd {
  complete: true;
  tables: number;
  rows: number;
  sequences: SequenceState[];
}

export const END_OF_ROWS = Buffer.from('\\.\n');

/** An archive that is torn, or not one. Exit 31. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
  readonly exitCode = 31;
}

/** Writes beside the target and renames at the end, so a file of that name is always whole. Readable by its owner only. */
export class ArchiveWriter {
  readonly stream = createGzip();
  private readonly partial: string;
  private readonly written: Promise<void>;

  constructor(private readonly file: string) {
    this.partial = `${file}.part`;
    this.written = pipeline(this.stream, createWriteStream(this.partial, { mode: 0o600, flush: true }));
    this.written.catch(() => undefined); // reported by finish
  }

  line(value: ArchiveHeader | TableContent | TableSum | ArchiveEnd): void {
    this.stream.write(`${JSON.stringify(value)}\n`);
  }

  async finish(): Promise<void> {
    this.stream.end();
    await this.written;
    await rename(this.partial, this.file);
  }

  async discard(): Promise<void> {
    this.stream.destroy();
    await this.written.catch(() => undefined);
    await rm(this.partial, { force: true });
  }
}

/** Reads an archive from front to back. */
export class ArchiveReader {
  private readonly lines: AsyncGenerator<Buffer, void, void>;

  constructor(file: string) {
    this.lines = linesOf(file);
  }

  async header(): Promise<ArchiveHeader> {
    const header = (await this.json()) as Partial<ArchiveHeader>;
    if (header.format !== ARCHIVE_FORMAT) throw new ArchiveError('the file is not a Parley backup');
    return header as ArchiveHeader;
  }

  /** The next table, or the end. */
  async next(): Promise<TableContent | ArchiveEnd> {
    return (await this.json()) as TableContent | ArchiveEnd;
  }

  /** The rows of the table just read; must be read to their end, and then `sum`. */
  async *rows(): AsyncGenerator<Buffer, void, void> {
    for (let line = await this.line(); !line.equals(END_OF_ROWS); line = await this.line()) yield line;
  }

  async sum(): Promise<TableSum> {
    return (await this.json()) as TableSum;
  }

  async close(): Promise<void> {
    await this.lines.return();
  }

  private async line(): Promise<Buffer> {
    const { value, done } = await this.lines.next();
    if (done === true || value === undefined) throw new ArchiveError('the backup is torn: it has no end');
    return value;
  }

  private async json(): Promise<unknown> {
    const text = (await this.line()).toString('utf8');
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new ArchiveError('the file is not a Parley backup', { cause });
    }
  }
}

/** Lines with their line feed. */
async function* linesOf(file: string): AsyncGenerator<Buffer, void, void> {
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error)).pipe(unzipped);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of unzipped as AsyncIterable<Buffer>) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
        yield data.subarray(start, end + 1);
        start = end + 1;
      }
      rest = data.subarray(start);
    }
  } catch (cause) {
    throw new ArchiveError(`the backup cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  } finally {
    source.destroy();
    unzipped.destroy();
  }
}
