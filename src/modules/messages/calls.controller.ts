import { Body, Controller, Get, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { CallProgressService } from './call-progress.service.js';
import { CallsService } from './calls.service.js';
import { type CallListQuery, callListQuery, startCallBody, type StartCallFields } from './dto/call.dto.js';
import { callView } from './dto/call.view.js';

@Controller('api/v1')
@Authenticated()
export class CallsController {
  constructor(
    private readonly calls: CallsService,
    private readonly progress: CallProgressService,
  ) {}

  /** 201; 200 when this clientId has started one. */
  @Post('conversations/:id/calls')
  @Returns(201, callView)
  async start(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Body({ schema: startCallBody }) fields: StartCallFields,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { call, created } = await this.calls.start(actor, { c, ...fields });
    if (!created) response.status(HttpStatus.OK);
    return call;
  }

  @Post('calls/:id/accept')
  @Returns(200, callView)
  accept(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.progress.accept(actor, id);
  }

  @Post('calls/:id/decline')
  @Returns(200, callView)
  decline(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.progress.decline(actor, id);
  }

  @Post('calls/:id/end')
  @Returns(200, callView)
  end(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.progress.end(actor, id);
  }

  @Get('calls')
  @Returns(200, pageOf(callView))
  list(@CurrentActor() actor: Actor, @Query({ schema: callListQuery }) query: CallListQuery) {
    return this.calls.list(actor, query);
  }

  @Get('calls/:id')
  @Returns(200, callView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.calls.get(actor, id);
  }
}
