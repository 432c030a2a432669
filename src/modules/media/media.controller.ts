import { Body, Controller, Delete, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { OwnAddress, withWholeUrl } from '../../platform/http/own-address.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { DownloadsService } from './downloads.service.js';
import { mediaView } from './dto/media.view.js';
import {
  type CreateUpload,
  createUpload,
  type PartsQuery,
  partsQuery,
  type VariantQuery,
  variantQuery,
} from './dto/upload.dto.js';
import { linkView, partsView, uploadView } from './dto/upload.view.js';
import { MediaService } from './media.service.js';
import { PartsService } from './parts.service.js';
import { UploadsService } from './uploads.service.js';

@Controller('api/v1/media')
@Authenticated()
export class MediaController {
  constructor(
    private readonly uploads: UploadsService,
    private readonly parts: PartsService,
    private readonly media: MediaService,
    private readonly downloads: DownloadsService,
  ) {}

  @Post('uploads')
  @Limited('upload')
  @Returns(201, uploadView)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createUpload }) input: CreateUpload,
    @OwnAddress() address: string,
  ) {
    return withWholeUrl(address, await this.uploads.create(actor, input));
  }

  /** Parts of a large upload, with links for those that are still to be sent. */
  @Get('uploads/:id/parts')
  @Returns(200, partsView)
  listParts(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: partsQuery }) query: PartsQuery,
  ) {
    return this.parts.page(actor, id, query);
  }

  @Post('uploads/:id/complete')
  @Returns(200, mediaView)
  complete(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.uploads.complete(actor, id);
  }

  @Get(':id')
  @Returns(200, mediaView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.media.get(actor, id);
  }

  @Delete(':id')
  @Returns(204)
  delete(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.media.delete(actor, id);
  }

  /** Leads to the bytes of one rendition. */
  @Get(':id/content')
  @Returns(302)
  async content(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: variantQuery }) { variant }: VariantQuery,
    @OwnAddress() address: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const { url } = withWholeUrl(address, await this.downloads.link(actor, id, variant));
    response.setHeader('Location', url);
  }

  /** The same link as JSON, for `<img>`. */
  @Get(':id/url')
  @Returns(200, linkView)
  async url(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: variantQuery }) { variant }: VariantQuery,
    @OwnAddress() address: string,
  ) {
    return withWholeUrl(address, await this.downloads.link(actor, id, variant));
  }
}
