import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/auth.decorator.js';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import { notFound } from '../errors/domain-error.js';

/** The API documents as they were generated from this build's schemas. */
@Controller()
@Public()
export class DocumentsController {
  private readonly files = new Map<string, string>();

  constructor(private readonly config: Config) {}

  @Get('openapi.json')
  @Header('Content-Type', 'application/json')
  openapi(): string {
    return this.read('openapi.json');
  }

  @Get('asyncapi.json')
  @Header('Content-Type', 'application/json')
  asyncapi(): string {
    return this.read('asyncapi.json');
  }

  /** Read at first use: most processes are never asked. */
  private read(name: string): string {
    if (!this.config.DOCS_ENABLED) throw notFound();
    let text = this.files.get(name);
    if (text === undefined) {
      text = readFileSync(join(packageRoot(), 'docs', name), 'utf8');
      this.files.set(name, text);
    }
    return text;
  }
}
