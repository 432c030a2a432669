import { Controller, Get, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Guarded } from '../../platform/auth/auth.decorator.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { MetricsGuard } from './metrics.guard.js';
import { MetricsService } from './metrics.service.js';

const OPENMETRICS = 'application/openmetrics-text';

@Controller()
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  /** Prometheus text; OpenMetrics, which has exemplars, where the scraper prefers it. */
  @Get('metrics')
  @Guarded('metrics')
  @Unlimited()
  @UseGuards(MetricsGuard)
  async text(@Req() request: Request, @Res() response: Response): Promise<void> {
    const accepted = request.accepts(['text/plain', OPENMETRICS]);
    const { type, text } = await this.metrics.text(accepted === OPENMETRICS ? 'openmetrics' : 'prometheus');
    response.setHeader('Content-Type', type).setHeader('Vary', 'Accept').end(text);
  }
}
