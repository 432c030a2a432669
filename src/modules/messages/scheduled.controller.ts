import { Body, Controller, Delete, Get, HttpStatus, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type CreateScheduled, createScheduled, type UpdateScheduled, updateScheduled } from './dto/scheduled.dto.js';
import { scheduledView } from './dto/scheduled.view.js';
import { ScheduledService } from './scheduled.service.js';

@Controller('api/v1/scheduled-messages')
@Authenticated()
export class ScheduledController {
  constructor(private readonly scheduled: ScheduledService) {}

  @Get()
  @Returns(200, pageOf(scheduledView))
  list(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.scheduled.list(actor, query);
  }

  /** 201; 200 when this clientId is scheduled. */
  @Post()
  @Returns(201, scheduledView)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createScheduled }) input: CreateScheduled,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { scheduled, created } = await this.scheduled.create(actor, input);
    if (!created) response.status(HttpStatus.OK);
    return scheduled;
  }

  @Patch(':id')
  @Returns(200, scheduledView)
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: updateScheduled }) change: UpdateScheduled,
  ) {
    return this.scheduled.update(actor, id, change);
  }

  @Delete(':id')
  @Returns(204)
  cancel(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.scheduled.cancel(actor, id);
  }
}
