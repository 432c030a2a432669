import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Public } from '../auth/auth.decorator.js';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import { notFound } from '../errors/domain-error.js';
import { Unlimited } from '../ratelimit/limit.guard.js';
import { type PageFile, Pages } from './pages.js';
import { pagesPolicy, referencePolicy } from './pages-policy.js';
import { sendPage } from './send-page.js';
import { Undocumented } from './undocumented.decorator.js';

const ASK_EACH_TIME = 'no-cache';

/** The API documents as they were generated from this build's schemas, and the pages that show them. DOCS_ENABLED=false: none. */
@Controller()
@Public()
@Unlimited()
export class DocumentsController {
  private readonly files = new Map<string, string>();
  private readonly pages: Pages;
  private packed: PageFile | undefined;

  constructor(private readonly config: Config) {
    this.pages = new Pages(!config.isProduction, join(packageRoot(), 'docs/pages'));
  }

  @Get('openapi.json')
  @Header('Content-Type', 'application/json')
  openapi(): string {
    return this.read('openapi.json', compact);
  }

  @Get('asyncapi.json')
  @Header('Content-Type', 'application/json')
  asyncapi(): string {
    return this.read('asyncapi.json', compact);
  }

  /** For programs that read before they write programs. */
  @Get('llms.txt')
  @Undocumented()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  llms(): string {
    return this.read('llms.txt');
  }

  @Get('docs')
  @Undocumented()
  reference(@Req() request: Request, @Res() response: Response): void {
    response.setHeader('Content-Security-Policy', referencePolicy);
    this.page('index.html', request, response);
  }

  @Get('docs/sockets')
  @Undocumented()
  sockets(@Req() request: Request, @Res() response: Response): void {
    response.setHeader('Content-Security-Policy', pagesPolicy(this.config));
    this.page('sockets.html', request, response);
  }

  @Get('docs/:file')
  @Undocumented()
  asset(@Param('file') file: string, @Req() request: Request, @Res() response: Response): void {
    if (file !== 'api-reference.js') return this.page(file, request, response);
    this.enabled();
    sendPage((this.packed ??= readPacked()), ASK_EACH_TIME, request, response);
  }

  private page(name: string, request: Request, response: Response): void {
    this.enabled();
    sendPage(this.pages.find(name), ASK_EACH_TIME, request, response);
  }

  /** Read at first use: most processes are never asked. */
  private read(name: string, change = (text: string) => text): string {
    this.enabled();
    let text = this.files.get(name);
    if (text === undefined) {
      text = change(readFileSync(join(packageRoot(), 'docs', name), 'utf8'));
      this.files.set(name, text);
    }
    return text;
  }

  private enabled(): void {
    if (!this.config.DOCS_ENABLED) throw notFound();
  }
}

const compact = (text: string): string => JSON.stringify(JSON.parse(text));

/** Scalar's script, which the build packs; undefined where nothing was built. */
function readPacked(): PageFile | undefined {
  let gzip: Buffer;
  try {
    gzip = readFileSync(join(packageRoot(), 'dist/docs/api-reference.js.gz'));
  } catch {
    return undefined;
  }
  const etag = createHash('sha256').update(gzip).digest('base64url').slice(0, 22);
  return { type: 'text/javascript; charset=utf-8', etag, bodies: { gzip, identity: gunzipSync(gzip) } };
}
