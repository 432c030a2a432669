import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DatabaseService } from './database.service.js';
import { DatabaseMonitor } from './database-monitor.js';
import { SchemaGuard } from './schema-guard.js';
import { type DatabaseContext, DATABASE_CONTEXT, SchemaGate } from './schema-gate.js';

/**
 * First in the root module's imports, imports nothing, and has exactly one `onModuleInit` (SchemaGate): Nest finishes
 * it before any other module's hook, so no other code meets an unverified schema.
 */
@Global()
@Module({})
export class DatabaseModule {
  static register(context: DatabaseContext): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: DATABASE_CONTEXT, useValue: context },
        DatabaseService,
        DatabaseMonitor,
        SchemaGuard,
        SchemaGate,
      ],
      exports: [DATABASE_CONTEXT, DatabaseService, DatabaseMonitor],
    };
  }
}
