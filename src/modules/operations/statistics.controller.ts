import { Controller, Get } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { CurrentActor, Requires } from '../../platform/auth/auth.decorator.js';
import { StatisticsService } from './statistics.service.js';

@Controller('api')
@Requires('health.read')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get(['v1/db/perf', 'db/perf'])
  database(@CurrentActor() actor: Actor) {
    return this.statistics.databaseUse(actor);
  }

  @Get(['v1/websocket/stats', 'websocket/stats'])
  webSockets(@CurrentActor() actor: Actor) {
    return this.statistics.webSockets(actor);
  }
}
