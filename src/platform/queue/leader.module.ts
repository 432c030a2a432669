import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Log } from '../logging/log.js';
import { Leader } from './leader.js';

@Global()
@Module({})
export class LeaderModule {
  /** `replicaId` is what the other replicas see as the holder. */
  static register(replicaId: string): DynamicModule {
    return {
      module: LeaderModule,
      providers: [
        {
          provide: Leader,
          inject: [DatabaseService, BackgroundWork, Log],
          useFactory: (database: DatabaseService, background: BackgroundWork, log: Log) =>
            new Leader(replicaId, database, background, log),
        },
      ],
      exports: [Leader],
    };
  }
}
