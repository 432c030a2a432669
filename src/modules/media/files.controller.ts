import { Controller, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Guarded } from '../../platform/auth/auth.decorator.js';
import { Config } from '../../platform/config/config.js';
import { DomainError, notFound } from '../../platform/errors/domain-error.js';
import { notModified } from '../../platform/http/conditional.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { DownloadsService } from './downloads.service.js';
import { type SignedQuery, signedQuery, type VariantName, variantName } from './dto/upload.dto.js';
import { UploadsService } from './uploads.service.js';

/** Read from the disk in one go. */
const READ_BYTES = 256 * 1024;

/** The bytes themselves, where files are kept on disk. Links are signed and counted where they are made. */
@Controller('api/v1/media/files')
@Guarded('signature')
@Unlimited()
export class FilesController {
  constructor(
    private readonly uploads: UploadsService,
    private readonly downloads: DownloadsService,
    private readonly config: Config,
  ) {}

  @Put(':id')
  @Returns(204)
  async upload(
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: signedQuery }) query: SignedQuery,
    @Req() request: Request,
  ): Promise<void> {
    const length = request.headers['content-length'];
    await this.uploads.receive(id, query, request, length === undefined ? undefined : Number(length));
  }

  /** With ranges and conditions (RFC 9110); nothing a browser could be talked into running. */
  @Get(':id/:variant')
  @Returns(200)
  async download(
    @Param('id', { schema: uuid }) id: string,
    @Param('variant', { schema: variantName }) variant: VariantName,
    @Query({ schema: signedQuery }) query: SignedQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { root, path, contentType, disposition, etag } = await this.downloads.open(id, variant, query);
    const headers = {
      'Content-Type': contentType,
      'Content-Disposition': disposition,
      'Content-Security-Policy': "sandbox; default-src 'none'",
      'X-Content-Type-Options': 'nosniff',
      // The link is the permission, whichever page shows the picture.
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cache-Control': `private, max-age=${this.config.MEDIA_URL_TTL}, immutable`,
    };
    response.set(headers);
    // Not left to sendFile, which sends everything again to whoever says `Cache-Control: no-cache`, as fetch does.
    if (notModified(request, response, etag)) return;
    // `highWaterMark` goes through to the file's stream.
    const options = { root, cacheControl: false, etag: false, highWaterMark: READ_BYTES };
    await new Promise<void>((resolve, reject) =>
      response.sendFile(path, options, (error?: Error) => {
        if (!error || isGone(error)) resolve();
        else reject(meaning(error));
      }),
    );
  }
}

/** The reader left; nobody is there to be told. */
const isGone = (error: Error): boolean =>
  ['ECONNABORTED', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

function meaning(error: Error): Error {
  switch ((error as { status?: unknown }).status) {
    case 416:
      return new DomainError('range_not_satisfiable');
    case 404:
      return notFound();
    default:
      return new DomainError('dependency_unavailable', { retryAfterMs: 5000 }, { cause: error });
  }
}
