import { constants, createWriteStream, type Dirent } from 'node:fs';
import { access, copyFile, link, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { epochMs, newId } from '../clock/clock.js';
import { DomainError } from '../errors/domain-error.js';
import type { HealthReading } from '../lifecycle/health-registry.js';
import { type OwnAccess, Storage, type StoredObject } from './storage.js';
import { storageDown } from './storage.errors.js';
import { assertKey, assertPrefix, isKey } from './storage-key.js';

/** Half-written files; the name is no key, so nobody can ask for one. */
const INCOMING = '.incoming';
/** What may arrive while the disk is writing, and is then written in one go: bytes. */
const WRITE_AHEAD = 1024 * 1024;
/** Below this the store counts as degraded: bytes. */
const LOW_SPACE = 512 * 1024 * 1024;
/** No upload takes longer than this, in ms. */
const ABANDONED_MS = 3_600_000;

/**
 * Objects as files below one folder, which replicas have to share. A file appears under its name only when it is whole
 * and on disk: it is written beside, flushed, then renamed.
 */
export class DiskStorage extends Storage {
  readonly driver = 'disk';
  readonly access: OwnAccess = {
    kind: 'own',
    receive: (key, source, maxBytes) => this.write(key, source, maxBytes),
    locate: (key) => ({ root: this.root, path: assertKey(key) }),
  };
  private readonly root: string;

  constructor(folder: string) {
    super();
    this.root = resolve(folder);
  }

  put(key: string, body: Uint8Array): Promise<void> {
    return this.write(key, Readable.from([body]), body.length);
  }

  async read(key: string): Promise<Readable | undefined> {
    const handle = await unlessMissing(open(this.path(key)));
    return handle?.createReadStream();
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const found = await unlessMissing(stat(this.path(key)));
    return found?.isFile() ? { key, size: found.size, modifiedAt: found.mtime } : undefined;
  }

  async copy(from: string, to: string): Promise<boolean> {
    const source = this.path(from);
    const target = this.path(to);
    await reliably(mkdir(dirname(target), { recursive: true }));
    // A second name for the same bytes. Files are replaced and never written to, so neither sees what happens to the other.
    const linked = await link(source, target).then(
      () => true,
      () => false,
    );
    if (linked) return true;
    return (await unlessMissing(copyFile(source, target, constants.COPYFILE_FICLONE).then(() => true))) ?? false;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) await reliably(rm(this.path(key), { force: true }));
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    yield* this.walk(assertPrefix(prefix).replace(/\/$/, ''));
  }

  override async clear(prefix: string, except: readonly string[] = []): Promise<void> {
    await super.clear(prefix, except);
    // The folder goes with its last file; one that is not empty stays.
    if (except.length === 0) await rm(join(this.root, assertPrefix(prefix)), { recursive: true, force: true });
  }

  /** Writes, reads and deletes a file, as an upload would. */
  async check(): Promise<HealthReading> {
    const probe = join(this.root, INCOMING, `${newId()}.probe`);
    try {
      await mkdir(dirname(probe), { recursive: true });
      await writeFile(probe, 'probe', { flush: true });
      await access(probe, constants.R_OK);
    } finally {
      await rm(probe, { force: true });
    }
    const { bavail, bsize } = await statfs(this.root);
    const freeBytes = bavail * bsize;
    return { state: freeBytes < LOW_SPACE ? 'degraded' : 'healthy', observed: { driver: this.driver, freeBytes } };
  }

  override async removeAbandoned(): Promise<void> {
    const folder = join(this.root, INCOMING);
    for (const name of (await unlessMissing(readdir(folder))) ?? []) {
      const file = join(folder, name);
      const found = await unlessMissing(stat(file));
      if (found && found.mtimeMs < epochMs() - ABANDONED_MS) await reliably(rm(file, { force: true }));
    }
  }

  private path(key: string): string {
    return join(this.root, assertKey(key));
  }

  private async write(key: string, source: Readable, maxBytes: number): Promise<void> {
    const target = this.path(key);
    const incoming = join(this.root, INCOMING, newId());
    try {
      await reliably(mkdir(dirname(incoming), { recursive: true }));
      await pipeline(
        source,
        atMost(maxBytes),
        createWriteStream(incoming, { flags: 'wx', flush: true, highWaterMark: WRITE_AHEAD }),
      );
      await mkdir(dirname(target), { recursive: true });
      await rename(incoming, target);
    } catch (error) {
      await rm(incoming, { force: true }).catch(() => undefined);
      // A client that gave up is not the disk's fault.
      throw error instanceof DomainError || source.errored === error ? error : storageDown(error);
    }
  }

  private async *walk(folder: string): AsyncGenerator<StoredObject> {
    const entries: Dirent[] = (await unlessMissing(readdir(join(this.root, folder), { withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!isKey(key)) continue;
      if (entry.isDirectory()) yield* this.walk(key);
      else {
        const object = await this.head(key);
        if (object) yield object;
      }
    }
  }
}

/** Passes bytes on and fails with the first one too many. */
function atMost(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > maxBytes) done(new DomainError('payload_too_large', { detail: `At most ${maxBytes} bytes` }));
      else done(null, chunk);
    },
  });
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageDown(error);
  }
}

async function reliably<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw storageDown(error);
  }
}
