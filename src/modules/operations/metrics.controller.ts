import { Controller, Get, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Guarded } from '../../platform/auth/auth.decorator.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { MetricsGuard } from './metrics.guard.js';
import { MetricsService } from './metrics.service.js';

// With their versions, which scrapers name.
const TEXT = 'text/plain; version=0.0.4';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

@Controller()
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  /** Prometheus text; OpenMetrics, which has exemplars, where the scraper prefers it. */
  @Get('metrics')
  @Guarded('metrics')
  @Unlimited()
  @UseGuards(MetricsGuard)
  async text(@Req() request: Request, @Res() response: Response): Promise<void> {
    const accepted = request.accepts([TEXT, OPENMETRICS]);
    const { type, text } = await this.metrics.text(accepted === OPENMETRICS ? 'openmetrics' : 'prometheus');
    response.setHeader('Content-Type', type).setHeader('Vary', 'Accept').end(text);
  }
}
