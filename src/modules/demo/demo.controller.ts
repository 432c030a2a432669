import { Body, Controller, Get, Post, Put } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Authenticated, CurrentActor, Public } from '../../platform/auth/auth.decorator.js';
import { CurrentOrigin, type RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { Undocumented } from '../../platform/http/undocumented.decorator.js';
import { DemoService } from './demo.service.js';
import * as dto from './dto/demo.dto.js';
import { chaosView, worldView } from './dto/world.view.js';

/** No part of the API: a development installation's demo page alone calls these; elsewhere they answer not_found. */
@Controller('api/v1/demo')
@Undocumented()
export class DemoController {
  constructor(private readonly demo: DemoService) {}

  @Post('world')
  @Public()
  @Returns(200, worldView)
  enter(@Body({ schema: dto.enterWorld }) input: dto.EnterWorld, @CurrentOrigin() origin: RequestOrigin) {
    return this.demo.enter(input, origin);
  }

  @Put('history')
  @Authenticated()
  @Returns(204)
  age(@CurrentActor() actor: Actor, @Body({ schema: dto.ageHistory }) input: dto.AgeHistory) {
    return this.demo.age(actor, input);
  }

  @Get('chaos')
  @Authenticated()
  @Returns(200, chaosView)
  chaos() {
    return this.demo.chaos();
  }

  @Put('chaos')
  @Authenticated()
  @Returns(200, chaosView)
  setChaos(@Body({ schema: dto.chaos }) input: dto.Chaos) {
    return this.demo.setChaos(input);
  }

  @Post('restart')
  @Authenticated()
  @Returns(204)
  restart(@Body({ schema: dto.restart }) { signal }: dto.Restart) {
    return this.demo.restart(signal);
  }
}
