import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { Guarded } from '../../platform/auth/auth.decorator.js';
import { registry } from '../../platform/logging/metrics.js';
import { Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { MetricsGuard } from './metrics.guard.js';
import { MetricsService } from './metrics.service.js';

@Controller()
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  /** Prometheus text. */
  @Get('metrics')
  @Guarded('metrics')
  @Unlimited()
  @UseGuards(MetricsGuard)
  @Header('Content-Type', registry.contentType)
  text(): Promise<string> {
    return this.metrics.text();
  }
}
