import { Body, Controller, Get, Put, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { ifMatch, notModified } from '../../platform/http/conditional.js';
import { pageOf, type PageQuery, pageQuery } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { ActivityService } from './activity.service.js';
import { activityView } from './dto/activity.view.js';
import { type Preferences, preferences } from './dto/preferences.view.js';
import { PreferencesService } from './preferences.service.js';

@Controller('api/v1/users/me')
@Authenticated()
export class PreferencesController {
  constructor(
    private readonly preferences: PreferencesService,
    private readonly activity: ActivityService,
  ) {}

  @Get('preferences')
  @Returns(200, preferences)
  async get(@CurrentActor() actor: Actor, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const current = await this.preferences.get(actor);
    return notModified(request, response, current.etag) ? undefined : current.preferences;
  }

  /** Replaces the whole. */
  @Put('preferences')
  @Returns(200, preferences)
  async put(
    @CurrentActor() actor: Actor,
    @Body({ schema: preferences }) input: Preferences,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const saved = await this.preferences.put(actor, input, ifMatch(request));
    response.setHeader('ETag', saved.etag);
    return saved.preferences;
  }

  /** The security feed: sign-ins, ended sessions, changed passwords. */
  @Get('activity')
  @Returns(200, pageOf(activityView))
  list(@CurrentActor() actor: Actor, @Query({ schema: pageQuery }) query: PageQuery) {
    return this.activity.list(actor, query);
  }
}
