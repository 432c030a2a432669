import { Body, Controller, Get, Param, Patch, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { ifMatch, notModified } from '../../platform/http/conditional.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { type UpdateProfile, updateProfile, type UserQuery, userQuery } from './dto/profile.dto.js';
import { type SelfView, selfView, userView } from './dto/user.view.js';
import { profileEtag, ProfilesService } from './profiles.service.js';

@Controller('api/v1/users')
@Authenticated()
export class UsersController {
  constructor(private readonly profiles: ProfilesService) {}

  @Get('me')
  @Returns(200, selfView)
  async me(
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SelfView | undefined> {
    const self = await this.profiles.me(actor);
    return notModified(request, response, profileEtag(self)) ? undefined : self;
  }

  @Patch('me')
  @Returns(200, selfView)
  async update(
    @CurrentActor() actor: Actor,
    @Body({ schema: updateProfile }) change: UpdateProfile,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SelfView> {
    const self = await this.profiles.update(actor, change, ifMatch(request));
    response.setHeader('ETag', profileEtag(self));
    return self;
  }

  /** People by ids, or by handle, name or exact address. */
  @Get()
  @Returns(200, pageOf(userView))
  find(@CurrentActor() actor: Actor, @Query({ schema: userQuery }) input: UserQuery) {
    return this.profiles.find(actor, input);
  }

  @Get(':id')
  @Returns(200, userView)
  get(@CurrentActor() actor: Actor, @Param('id', { schema: uuid }) id: string) {
    return this.profiles.get(actor, id);
  }
}
