import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Load } from '../../platform/lifecycle/load.js';
import { MetricsService } from './metrics.service.js';

/** Tells the load what the lifecycle cannot know: how many requests wait for a connection of the pool. */
@Injectable()
export class LoadSignals implements OnModuleInit {
  constructor(
    private readonly load: Load,
    private readonly metrics: MetricsService,
  ) {}

  onModuleInit(): void {
    this.load.watch({ name: 'poolWaiting', limits: [50, 100, 200], read: () => this.metrics.pool().waiting });
  }
}
