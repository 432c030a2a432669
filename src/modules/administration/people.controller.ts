import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import * as account from '../users/dto/account.view.js';
import { sessionView } from '../users/dto/session.view.js';
import * as dto from './dto/person.dto.js';
import { deletionView, personView } from './dto/person.view.js';
import { PeopleService } from './people.service.js';

@Controller('api/v1/admin/users')
export class PeopleController {
  constructor(private readonly people: PeopleService) {}

  @Get()
  @Requires('users.read')
  @Returns(200, pageOf(personView))
  list(@CurrentActor() actor: Actor, @Query({ schema: account.accountQuery }) query: account.AccountQuery) {
    return this.people.list(actor, query);
  }

  @Post()
  @Requires('users.write')
  @Returns(201, personView)
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: account.newAccount }) input: account.NewAccount,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.create(actor, input, trace);
  }

  @Get(':id')
  @Requires('users.read')
  @Returns(200, personView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.people.get(actor, id);
  }

  @Patch(':id')
  @Requires('users.write')
  @Returns(200, personView)
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: account.accountChange }) change: account.AccountChange,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.update(actor, id, change, trace);
  }

  @Delete(':id')
  @Requires('users.delete')
  @Returns(202, deletionView)
  delete(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: dto.deletion }) input: dto.Deletion,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.delete(actor, id, input, trace);
  }

  @Post(':id/suspend')
  @Requires('users.write')
  @Returns(200, personView)
  suspend(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: dto.suspension }) input: dto.Suspension,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.suspend(actor, id, input, trace);
  }

  @Post(':id/unsuspend')
  @Requires('users.write')
  @Returns(200, personView)
  reinstate(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: dto.unsuspension }) input: dto.Unsuspension,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.reinstate(actor, id, input?.reason, trace);
  }

  @Get(':id/sessions')
  @Requires('users.read')
  @Returns(200, pageOf(sessionView))
  async sessions(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return { items: await this.people.sessions(actor, id), next: null, prev: null };
  }

  @Delete(':id/sessions')
  @Requires('sessions.revoke')
  @Returns(204)
  revokeAll(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.revoke(actor, id, undefined, trace);
  }

  @Delete(':id/sessions/:sessionId')
  @Requires('sessions.revoke')
  @Returns(204)
  revoke(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('sessionId', { schema: uuid }) sessionId: string,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.people.revoke(actor, id, sessionId, trace);
  }
}
