import { Controller, Get, HttpCode, HttpStatus, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Guarded } from '../../platform/auth/auth.decorator.js';
import { HealthDetailService } from './health-detail.service.js';
import { overall, terminusStatus } from './health.rules.js';
import { ProbeGuard } from './probe.guard.js';
import { QueueProbeService } from './queue-probe.service.js';

const HEALTH_JSON = 'application/health+json';

/** The pages that say why; for the probe token or the permission health.read. */
@Controller()
@Guarded('probe')
@UseGuards(ProbeGuard)
export class HealthDetailController {
  constructor(
    private readonly detail: HealthDetailService,
    private readonly queue: QueueProbeService,
  ) {}

  /** The status code of /ready; application/health+json where it is accepted, else the shape of Terminus with the same checks. */
  @Get(['health/detailed', 'api/v1/health/detailed'])
  async detailed(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { readiness, checks, facts } = await this.detail.read();
    const asHealthJson = request.accepts(['application/json', HEALTH_JSON]) === HEALTH_JSON;
    const body = asHealthJson
      ? { status: overall(readiness.status), releaseId: (facts as { version?: string }).version, checks, ...facts }
      : { status: terminusStatus(readiness.status), details: readiness.checks, checks, ...facts };
    if (!readiness.fit) response.setHeader('Retry-After', 2);
    response
      .status(readiness.fit ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
      .setHeader('Vary', 'Accept')
      .type(asHealthJson ? HEALTH_JSON : 'application/json')
      .send(JSON.stringify(body));
  }

  @Get('api/v1/db-check')
  async databaseCheck(@Res({ passthrough: true }) response: Response) {
    const found = await this.detail.checkDatabase();
    if (found.status === 'error') response.status(HttpStatus.SERVICE_UNAVAILABLE).setHeader('Retry-After', 2);
    return found;
  }

  /** Sends work that does nothing through the queue, and answers when a worker has got it. */
  @Post('api/v1/queue-check')
  @HttpCode(HttpStatus.OK)
  async queueCheck(@Res({ passthrough: true }) response: Response) {
    const found = await this.queue.probe();
    if (found.status === 'error') response.status(HttpStatus.SERVICE_UNAVAILABLE).setHeader('Retry-After', 2);
    return found;
  }
}
