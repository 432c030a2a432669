import { Body, Controller, Delete, Get, Param, Post, Put } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor } from '../../platform/auth/auth.decorator.js';
import { pageOf } from '../../platform/http/cursor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { DevicesService } from './devices.service.js';
import { deviceId, type PutDevice, putDevice } from './dto/device.dto.js';
import { deviceView, pushConfigView } from './dto/device.view.js';
import { PushProviders } from './push/push-providers.service.js';

@Controller('api/v1')
@Authenticated()
export class DevicesController {
  constructor(
    private readonly devices: DevicesService,
    private readonly providers: PushProviders,
  ) {}

  /** The providers that work here, and the key a browser needs to subscribe. */
  @Get('push/config')
  @Returns(200, pushConfigView)
  config() {
    return this.providers.describe();
  }

  @Get('devices')
  @Returns(200, pageOf(deviceView))
  list(@CurrentActor() actor: Actor) {
    return this.devices.list(actor);
  }

  @Put('devices/:deviceId')
  @Returns(200, deviceView)
  put(
    @CurrentActor() actor: Actor,
    @Param('deviceId', { schema: deviceId }) id: string,
    @Body({ schema: putDevice }) input: PutDevice,
  ) {
    return this.devices.put(actor, id, input);
  }

  @Delete('devices/:deviceId')
  @Returns(204)
  remove(@CurrentActor() actor: Actor, @Param('deviceId', { schema: deviceId }) id: string) {
    return this.devices.remove(actor, id);
  }

  /** A visible test notification. */
  @Post('devices/:deviceId/test')
  @Returns(202)
  test(@CurrentActor() actor: Actor, @Param('deviceId', { schema: deviceId }) id: string) {
    return this.devices.test(actor, id);
  }
}
