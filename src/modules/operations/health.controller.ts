import { Controller, Get, HttpStatus, Res, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { Public } from '../../platform/auth/auth.decorator.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { BootState } from '../../platform/lifecycle/boot-state.js';
import { livePaths, readyPaths, startupPaths } from '../../platform/lifecycle/boot-responder.js';
import { HealthService } from './health.service.js';

/** The probes, from READY on; before that the boot responder answers the same paths. */
@Controller()
@Public()
@Unlimited()
export class HealthController {
  constructor(
    private readonly terminus: HealthCheckService,
    private readonly health: HealthService,
    private readonly boot: BootState,
  ) {}

  @Get([...livePaths])
  live() {
    return this.health.live();
  }

  @Get([...readyPaths])
  async ready(@Res({ passthrough: true }) response: Response) {
    const { status, details } = await this.check();
    const draining = this.boot.phase === 'draining';
    const fit = status !== 'error' && !draining;
    if (!fit) response.status(HttpStatus.SERVICE_UNAVAILABLE).setHeader('Retry-After', 2);
    return { status: draining ? 'shutting_down' : fit ? status : 'not_ready', phase: this.boot.phase, checks: details };
  }

  @Get([...startupPaths])
  startup() {
    return this.health.startup();
  }

  /** Terminus throws what it found when something is down; the finding is the answer either way. */
  private async check(): Promise<Pick<HealthCheckResult, 'status' | 'details'>> {
    try {
      return await this.terminus.check(this.health.checks());
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}
