import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { OwnAddress, withWholeUrl } from '../../platform/http/own-address.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { type CreateInvite, createInvite, inviteCode } from './dto/invite.dto.js';
import { invitePreview, inviteView, joinedView, newInviteView } from './dto/invite.view.js';
import { InvitesService } from './invites.service.js';

@Controller('api/v1')
@Authenticated()
export class InvitesController {
  constructor(private readonly invites: InvitesService) {}

  @Get('conversations/:id/invites')
  @Returns(200, pageOf(inviteView))
  list(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
  ) {
    return this.invites.list(actor, id, query);
  }

  @Post('conversations/:id/invites')
  @Returns(201, newInviteView)
  async create(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: createInvite }) input: CreateInvite,
    @OwnAddress() address: string,
  ) {
    return withWholeUrl(address, await this.invites.create(actor, id, input));
  }

  @Delete('conversations/:id/invites/:inviteId')
  @Returns(204)
  revoke(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @Param('inviteId', { schema: uuid }) inviteId: string,
  ): Promise<void> {
    return this.invites.revoke(actor, id, inviteId);
  }

  @Get('invites/:code')
  @Returns(200, invitePreview)
  preview(@CurrentActor() actor: Actor, @Param('code', { schema: inviteCode }) code: string) {
    return this.invites.preview(actor, code);
  }

  @Post('invites/:code/accept')
  @Limited('invite.accept')
  @Returns(200, joinedView)
  accept(@CurrentActor() actor: Actor, @Param('code', { schema: inviteCode }) code: string) {
    return this.invites.accept(actor, code);
  }
}
