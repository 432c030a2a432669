import type { Server } from 'node:http';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AdministrationModule } from './modules/administration/administration.module.js';
import { ConversationsModule } from './modules/conversations/conversations.module.js';
import { DemoModule } from './modules/demo/demo.module.js';
import { MediaModule } from './modules/media/media.module.js';
import { MessagesModule } from './modules/messages/messages.module.js';
import { NotificationsModule } from './modules/notifications/notifications.module.js';
import { OperationsModule } from './modules/operations/operations.module.js';
import { PresenceModule } from './modules/presence/presence.module.js';
import { UsersModule } from './modules/users/users.module.js';
import { AuthModule } from './platform/auth/auth.module.js';
import type { Config } from './platform/config/config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { ProblemFilter } from './platform/errors/problem.filter.js';
import { EventsModule } from './platform/events/events.module.js';
import type { DatabaseContext } from './platform/database/schema-gate.js';
import type { BootState } from './platform/lifecycle/boot-state.js';
import type { Log } from './platform/logging/log.js';
import { HttpModule } from './platform/http/http.module.js';
import { BackgroundRuntime } from './platform/lifecycle/background-runtime.js';
import { LifecycleModule } from './platform/lifecycle/lifecycle.module.js';
import { LoggingModule } from './platform/logging/logging.module.js';
import { LeaderModule } from './platform/queue/leader.module.js';
import { RateLimitModule } from './platform/ratelimit/ratelimit.module.js';
import { RealtimeModule } from './platform/realtime/realtime.module.js';

export interface AppContext {
  config: Config;
  log: Log;
  boot: BootState;
  /** Bound already; the application attaches to it. */
  server: Server;
  database: DatabaseContext;
  /** New at each boot. */
  replicaId: string;
}

/** The composition root: platform first (DatabaseModule before all others), then the features. */
@Module({
  imports: [
    UsersModule,
    ConversationsModule,
    MediaModule,
    MessagesModule,
    PresenceModule,
    NotificationsModule,
    AdministrationModule,
    OperationsModule,
    DemoModule,
  ],
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }, BackgroundRuntime],
})
export class AppModule {
  static register(context: AppContext): DynamicModule {
    const { config, log, boot, database, replicaId } = context;
    return {
      module: AppModule,
      imports: [
        DatabaseModule.register(database),
        ConfigModule.register(config),
        LoggingModule.register(log),
        LifecycleModule.register(boot),
        LeaderModule.register(replicaId),
        EventsModule.register(replicaId),
        AuthModule,
        RateLimitModule,
        RealtimeModule,
        HttpModule,
      ],
    };
  }
}
