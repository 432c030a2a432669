import { Body, Controller, Get, Patch, Put, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { ifMatch, notModified } from '../../platform/http/conditional.js';
import { pageOf } from '../../platform/http/cursor.js';
import { CurrentTrace, type RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { availabilityView, dailyView, sampleView } from './dto/sample.view.js';
import { settingsView } from './dto/settings.view.js';
import {
  type AlertQuery,
  alertQuery,
  type DailyQuery,
  dailyQuery,
  type SampleQuery,
  sampleQuery,
  type SettingsInput,
  settingsInput,
  type SettingsPatch,
  settingsPatch,
  type ViolationQuery,
  violationQuery,
} from './dto/system-health.dto.js';
import { alertView, violationView } from './dto/system-health.view.js';
import { ListsService } from './lists.service.js';
import { SettingsService } from './settings.service.js';

@Controller('api')
@Requires('health.read')
export class SystemHealthController {
  constructor(
    private readonly settings: SettingsService,
    private readonly lists: ListsService,
  ) {}

  @Get(['v1/system-health/settings', 'system-health/settings'])
  @Returns(200, settingsView)
  async read(@CurrentActor() actor: Actor, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const { settings, etag } = await this.settings.get(actor);
    return notModified(request, response, etag) ? undefined : settings;
  }

  /** Replaces the whole. */
  @Put(['v1/system-health/settings', 'system-health/settings'])
  @Requires('health.write')
  @Returns(200, settingsView)
  async write(
    @CurrentActor() actor: Actor,
    @CurrentTrace() trace: RequestTrace,
    @Body({ schema: settingsInput }) input: SettingsInput,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { settings, etag } = await this.settings.put(actor, input, ifMatch(request), trace);
    response.setHeader('ETag', etag);
    return settings;
  }

  /** Replaces what is named. */
  @Patch(['v1/system-health/settings', 'system-health/settings'])
  @Requires('health.write')
  @Returns(200, settingsView)
  async change(
    @CurrentActor() actor: Actor,
    @CurrentTrace() trace: RequestTrace,
    @Body({ schema: settingsPatch }) input: SettingsPatch,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { settings, etag } = await this.settings.patch(actor, input, ifMatch(request), trace);
    response.setHeader('ETag', etag);
    return settings;
  }

  @Get('v1/system-health/samples')
  @Returns(200, pageOf(sampleView))
  samples(@CurrentActor() actor: Actor, @Query({ schema: sampleQuery }) query: SampleQuery) {
    return this.lists.samples(actor, query);
  }

  @Get('v1/system-health/daily')
  @Returns(200, pageOf(dailyView))
  daily(@CurrentActor() actor: Actor, @Query({ schema: dailyQuery }) query: DailyQuery) {
    return this.lists.daily(actor, query);
  }

  @Get('v1/system-health/availability')
  @Returns(200, availabilityView)
  availability(@CurrentActor() actor: Actor) {
    return this.lists.availability(actor);
  }

  @Get('v1/system-health/alerts')
  @Returns(200, pageOf(alertView))
  alerts(@CurrentActor() actor: Actor, @Query({ schema: alertQuery }) query: AlertQuery) {
    return this.lists.alerts(actor, query);
  }

  @Get('v1/system-health/rate-limit-violations')
  @Returns(200, pageOf(violationView))
  violations(@CurrentActor() actor: Actor, @Query({ schema: violationQuery }) query: ViolationQuery) {
    return this.lists.violations(actor, query);
  }
}
