import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { mediaView } from '../media/dto/media.view.js';
import { type WithheldQuery, withheldQuery, withheldView } from '../media/dto/withheld.view.js';
import { MediaService } from '../media/media.service.js';
import { type Quarantine, quarantine, type Verification, verification } from './dto/moderation.dto.js';
import { verificationView } from './dto/moderation.view.js';
import { type ReasonBody, reasonBody, type ReasonQuery, reasonQuery } from './dto/person.dto.js';
import { ModerationService } from './moderation.service.js';

/** Files and rows of the whole installation. */
@Controller('api/v1/admin')
export class ContentController {
  constructor(
    private readonly moderation: ModerationService,
    private readonly media: MediaService,
  ) {}

  /** What is kept from everybody, and why. */
  @Get('media')
  @Requires('media.moderate')
  @Returns(200, pageOf(withheldView))
  withheld(@CurrentActor() actor: Actor, @Query({ schema: withheldQuery }) query: WithheldQuery) {
    return this.media.listWithheld(actor, query);
  }

  @Post('media/:id/quarantine')
  @Requires('media.moderate')
  @Returns(200, mediaView)
  quarantine(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: quarantine }) { reason }: Quarantine,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.quarantine(actor, id, reason, trace);
  }

  @Post('media/:id/release')
  @Requires('media.moderate')
  @Returns(200, mediaView)
  release(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.release(actor, id, trace);
  }

  @Delete('media/:id')
  @Requires('media.moderate')
  @Returns(204)
  deleteMedia(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: reasonQuery }) { reason }: ReasonQuery,
    @Body({ schema: reasonBody }) body: ReasonBody,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.moderation.deleteMedia(actor, id, reason ?? body?.reason ?? null, trace);
  }

  /** The SQL half of the delivery guarantees (I3, I4, I10, I11, S6), on the database as it is. */
  @Post('verify')
  @Requires('health.read')
  @Returns(200, verificationView)
  verify(@CurrentActor() actor: Actor, @Body({ schema: verification }) input: Verification) {
    return this.moderation.verify(actor, input?.sample);
  }
}
