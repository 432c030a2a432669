import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import {
  type ChangesQuery,
  changesQuery,
  changesView,
  type SyncRequest,
  syncRequest,
  syncView,
  userChangesView,
} from './dto/sync.dto.js';
import { SyncService } from './sync.service.js';

@Controller('api/v1')
@Authenticated()
export class SyncController {
  constructor(private readonly sync: SyncService) {}

  @Post('sync')
  @Returns(200, syncView)
  run(@CurrentActor() actor: Actor, @Body({ schema: syncRequest }) request: SyncRequest) {
    return this.sync.sync(actor, request);
  }

  @Get('conversations/:id/changes')
  @Returns(200, changesView)
  changes(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) c: string,
    @Query({ schema: changesQuery }) query: ChangesQuery,
  ) {
    return this.sync.changes(actor, { c, ...query });
  }

  @Get('users/me/changes')
  @Returns(200, userChangesView)
  userChanges(@CurrentActor() actor: Actor, @Query({ schema: changesQuery }) query: ChangesQuery) {
    return this.sync.userChanges(actor, query);
  }
}
