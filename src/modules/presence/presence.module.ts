import { Module } from '@nestjs/common';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { UsersModule } from '../users/users.module.js';
import { LocalPresence } from './local-presence.service.js';
import { PresenceCleanup } from './presence-cleanup.service.js';
import { PresenceConsumer } from './presence.consumer.js';
import { PresenceController } from './presence.controller.js';
import { PresenceEntries } from './presence-entries.service.js';
import { PresenceGateway } from './presence.gateway.js';
import { PresencePrivacy } from './presence-privacy.service.js';
import { PresenceService } from './presence.service.js';
import { PresenceWatches } from './presence-watches.service.js';

@Module({
  imports: [UsersModule, ConversationsModule],
  controllers: [PresenceController],
  providers: [
    PresenceService,
    PresenceConsumer,
    PresenceGateway,
    LocalPresence,
    PresenceCleanup,
    PresenceEntries,
    PresencePrivacy,
    PresenceWatches,
  ],
  exports: [PresenceService],
})
export class PresenceModule {}
