import { Module } from '@nestjs/common';
import { createQueue } from './create-queue.js';
import { Config } from '../config/config.js';
import { DatabaseService } from '../database/database.service.js';
import { DATABASE_CONTEXT } from '../database/schema-gate.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Breakers } from '../lifecycle/breakers.js';
import { Log } from '../logging/log.js';
import { DeadLetters } from './dead-letters.js';
import { DelayedWork } from './delayed-work.js';
import { QueueHealth } from './queue-health.js';

@Module({
  providers: [
    {
      provide: DelayedWork,
      useFactory: createQueue,
      inject: [Config, DATABASE_CONTEXT, DatabaseService, BackgroundWork, Breakers, Log],
    },
    DeadLetters,
    QueueHealth,
  ],
  exports: [DelayedWork, DeadLetters],
})
export class QueueModule {}
