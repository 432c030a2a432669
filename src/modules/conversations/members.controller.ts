import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { DepartureService } from './departure.service.js';
import { joinedView } from './dto/invite.view.js';
import {
  type AddMembers,
  addMembers,
  addMembersAnswer,
  type ChangeRole,
  changeRole,
  membersPage,
  type UpdateMe,
  updateMe,
} from './dto/member.dto.js';
import { memberView } from './dto/member.view.js';
import { meView } from './dto/me.view.js';
import { MembersService } from './members.service.js';

/** A user's id, or `me`. */
const userOrMe = uuid.or(z.literal('me'));

@Controller('api/v1/conversations/:id')
@Authenticated()
export class MembersController {
  constructor(
    private readonly members: MembersService,
    private readonly departures: DepartureService,
  ) {}

  @Post('join')
  @Returns(200, joinedView)
  join(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.members.join(actor, id);
  }

  @Patch('me')
  @Returns(200, meView)
  updateMe(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: updateMe }) input: UpdateMe,
  ) {
    return this.members.updateMe(actor, id, input);
  }

  @Get('members')
  @Returns(200, membersPage)
  list(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.members.list(actor, id, query);
  }

  @Post('members')
  @Returns(200, addMembersAnswer)
  add(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: addMembers }) input: AddMembers,
  ) {
    return this.members.add(actor, id, input);
  }

  @Patch('members/:userId')
  @Returns(200, memberView)
  changeRole(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('userId', { schema: uuid }) userId: string,
    @Body({ schema: changeRole }) input: ChangeRole,
  ) {
    return this.members.changeRole(actor, id, userId, input);
  }

  @Delete('members/:userId')
  @Returns(204)
  remove(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('userId', { schema: userOrMe }) userId: string,
  ): Promise<void> {
    return this.departures.remove(actor, id, userId === 'me' ? actor.userId : userId);
  }
}
