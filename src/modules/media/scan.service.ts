import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { clamdScan } from './clamd-scan.driver.js';
import { webhookScan } from './webhook-scan.driver.js';

/** What a scanner says; null is clean, else the name of what it found. */
export type Threat = string | null;

/** Asks the operator's scanner, if there is one. */
@Injectable()
export class ScanService {
  constructor(private readonly config: Config) {}

  get enabled(): boolean {
    return this.config.MEDIA_SCAN_URL !== undefined;
  }

  /** Throws when the scanner does not answer: until it has, nobody but the owner knows of the file. */
  async scan(mediaId: string, content: Readable): Promise<Threat> {
    const { MEDIA_SCAN_URL: url } = this.config;
    if (url === undefined) return null;
    return url.startsWith('tcp:') ? clamdScan(new URL(url), content) : webhookScan(url, mediaId, content);
  }
}
