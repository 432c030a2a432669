import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Body, Controller, Delete, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor, Guarded } from '../../platform/auth/auth.decorator.js';
import { OwnAddress, withWholeUrl } from '../../platform/http/own-address.js';
import { CurrentOrigin, type RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import * as dto from './dto/erasure.dto.js';
import { ErasureService } from './erasure.service.js';
import { ExportsService } from './exports.service.js';

/** What a person may do with their account as a whole: take it along, and leave. */
@Controller('api/v1/users')
@Authenticated()
export class AccountController {
  constructor(
    private readonly erasure: ErasureService,
    private readonly exports: ExportsService,
  ) {}

  /** Deletes the caller's account: hidden at once, erased later, or now with `erase`. */
  @Delete('me')
  @Returns(202, dto.deletionView)
  delete(
    @CurrentActor() actor: Actor,
    @Body({ schema: dto.deleteAccount }) input: dto.DeleteAccount,
    @CurrentOrigin() origin: RequestOrigin,
  ) {
    return this.erasure.deleteOwn(actor, input, origin);
  }

  @Post('me/exports')
  @Limited('export')
  @Returns(202, dto.exportView)
  async requestExport(
    @CurrentActor() actor: Actor,
    @CurrentOrigin() origin: RequestOrigin,
    @OwnAddress() address: string,
  ) {
    return withWholeUrl(address, await this.exports.request(actor, origin));
  }

  @Get('me/exports/:id')
  @Returns(200, dto.exportView)
  async getExport(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @OwnAddress() address: string,
  ) {
    return withWholeUrl(address, await this.exports.get(actor, id));
  }

  /** The archive itself, newline-delimited JSON, for whoever holds the link. */
  @Get('exports/:id/archive')
  @Guarded('signature')
  @Returns(200)
  async archive(
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: dto.archiveQuery }) { signature }: dto.ArchiveQuery,
    @Res() response: Response,
  ): Promise<void> {
    const lines = await this.exports.open(id, signature);
    // After the name, which would set a type of its own.
    response.status(200).attachment(`parley-${id}.ndjson`).type('application/x-ndjson');
    // The download may be given up at any time; that is no fault of ours.
    await pipeline(Readable.from(lines), response).catch(() => response.destroy());
  }
}
