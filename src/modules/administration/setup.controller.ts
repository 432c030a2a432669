import { Body, Controller, Get, Post } from '@nestjs/common';
import { Public } from '../../platform/auth/auth.decorator.js';
import {
  CurrentOrigin,
  CurrentTrace,
  type RequestOrigin,
  type RequestTrace,
} from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { authResultView } from '../users/dto/session.view.js';
import { type Setup, setup, setupView } from './dto/setup.dto.js';
import { SetupService } from './setup.service.js';

@Controller('api/v1/setup')
@Public()
export class SetupController {
  constructor(private readonly setups: SetupService) {}

  @Get()
  @Returns(200, setupView)
  async required() {
    return { required: await this.setups.isRequired() };
  }

  /** Makes the first admin, with the token the server printed at boot. */
  @Post()
  @Limited('login.ip')
  @Returns(201, authResultView)
  run(
    @Body({ schema: setup }) input: Setup,
    @CurrentOrigin() origin: RequestOrigin,
    @CurrentTrace() trace: RequestTrace,
  ) {
    return this.setups.run(input, origin, trace);
  }
}
