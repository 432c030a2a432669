import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Public } from '../../platform/auth/auth.decorator.js';
import { livePaths, readyPaths, startupPaths } from '../../platform/lifecycle/boot-responder.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { HealthService } from './health.service.js';
import { ReadinessService } from './readiness.service.js';

/** The probes, from READY on; before that the boot responder answers the same paths. */
@Controller()
@Public()
@Unlimited()
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly readiness: ReadinessService,
  ) {}

  @Get([...livePaths])
  live(@Res({ passthrough: true }) response: Response) {
    if (!this.health.alive) response.status(HttpStatus.SERVICE_UNAVAILABLE);
    return this.health.live();
  }

  @Get([...readyPaths])
  async ready(@Res({ passthrough: true }) response: Response) {
    const { fit, ...body } = await this.readiness.read();
    if (!fit) response.status(HttpStatus.SERVICE_UNAVAILABLE).setHeader('Retry-After', 2);
    return body;
  }

  @Get([...startupPaths])
  startup() {
    return this.health.startup();
  }
}
