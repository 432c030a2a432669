import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Config } from '../config/config.js';
import { DATABASE_CONTEXT, type DatabaseContext } from '../database/schema-gate.js';
import { Log } from '../logging/log.js';
import { Bus } from './bus.js';
import { BusLifecycle } from './bus-lifecycle.js';
import { EventHandlers } from './event-handlers.js';
import { EventsService } from './events.service.js';
import { HintLoss } from './hint-loss.js';
import { MemoryBus } from './memory-bus.driver.js';
import { OutboxRelay } from './outbox-relay.js';
import { PgBus } from './pg-bus.driver.js';
import { RedisBus } from './redis-bus.driver.js';

/** Id of this process; new at each boot. */
export const REPLICA_ID = Symbol('REPLICA_ID');

@Global()
@Module({})
export class EventsModule {
  static register(replicaId: string): DynamicModule {
    return {
      module: EventsModule,
      imports: [DiscoveryModule],
      providers: [
        { provide: REPLICA_ID, useValue: replicaId },
        {
          provide: Bus,
          useFactory: (config: Config, database: DatabaseContext, log: Log) =>
            createBus(config, database, replicaId, log),
          inject: [Config, DATABASE_CONTEXT, Log],
        },
        BusLifecycle,
        EventHandlers,
        EventsService,
        HintLoss,
        OutboxRelay,
      ],
      exports: [REPLICA_ID, Bus, EventHandlers, EventsService, HintLoss, OutboxRelay],
    };
  }
}

function createBus(config: Config, database: DatabaseContext, replicaId: string, log: Log): Bus {
  const driver = config.BUS_DRIVER ?? (config.REDIS_URL ? 'redis' : 'pg');
  if (driver === 'memory') return new MemoryBus();
  if (driver === 'pg') return new PgBus(database.directUrl, replicaId, log);
  if (!config.REDIS_URL) throw new Error('BUS_DRIVER=redis needs REDIS_URL');
  return new RedisBus(config.REDIS_URL, replicaId, log, config.redisTransport);
}
