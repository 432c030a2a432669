import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { packageRoot } from '../config/package-root.js';

/** One file of the built pages, as it may be sent. */
export interface PageFile {
  type: string;
  /** Opaque, of the content. */
  etag: string;
  /** By content coding; `identity` is always there, `br` and `gzip` where the build made them. */
  bodies: Readonly<Partial<Record<Coding, Buffer>> & { identity: Buffer }>;
}
export type Coding = 'br' | 'gzip' | 'identity';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
};

/** What `vite build` made of web/: a few small files, read into memory at the first request for one. */
export class Pages {
  private files: ReadonlyMap<string, PageFile> | undefined;
  private builtAt: number | undefined;

  /** `changes`: whether the pages may be built anew while this process runs. */
  constructor(
    private readonly changes: boolean,
    private readonly folder = join(packageRoot(), 'web/dist'),
  ) {}

  /** By its path in the build, `assets/demo-1a2b.js`. Names are looked up and never joined to a path. */
  find(name: string): PageFile | undefined {
    if (this.files === undefined || (this.changes && name.endsWith('.html') && this.builtAt !== this.buildTime())) {
      this.builtAt = this.buildTime();
      this.files = readAll(this.folder);
    }
    return this.files.get(name);
  }

  private buildTime(): number | undefined {
    return statSync(join(this.folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
  }
}

function readAll(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  if (!existsSync(folder)) return files;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[extname(entry)];
    if (type === undefined) continue;
    const identity = readFileSync(join(folder, entry));
    const etag = createHash('sha256').update(identity).digest('base64url').slice(0, 22);
    const [br, gzip] = [readCoded(folder, `${entry}.br`), readCoded(folder, `${entry}.gz`)];
    const bodies = { identity, ...(br && { br }), ...(gzip && { gzip }) };
    files.set(entry.replaceAll('\\', '/'), { type, etag, bodies });
  }
  return files;
}

const readCoded = (folder: string, name: string): Buffer | undefined =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined;
