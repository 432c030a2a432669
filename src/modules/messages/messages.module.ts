import { Module } from '@nestjs/common';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { UsersModule } from '../users/users.module.js';
import { AttachmentReader } from './attachment-reader.service.js';
import { ConversationSource } from './conversation-source.service.js';
import { DraftService } from './draft.service.js';
import { MessageBatchService } from './message-batch.service.js';
import { MessageFeedService } from './message-feed.service.js';
import { MessageHistoryService } from './message-history.service.js';
import { MessageViews } from './message-views.service.js';
import { MessagesController } from './messages.controller.js';
import { MessagesGateway } from './messages.gateway.js';
import { MessagesService } from './messages.service.js';
import { ModerationHook } from './moderation-hook.service.js';
import { SyncController } from './sync.controller.js';
import { SyncService } from './sync.service.js';
import { ThreadsController } from './threads.controller.js';
import { ThreadsService } from './threads.service.js';

@Module({
  imports: [UsersModule, ConversationsModule],
  controllers: [MessagesController, SyncController, ThreadsController],
  providers: [
    MessagesService,
    MessagesGateway,
    AttachmentReader,
    ConversationSource,
    DraftService,
    MessageBatchService,
    MessageFeedService,
    MessageHistoryService,
    MessageViews,
    ModerationHook,
    SyncService,
    ThreadsService,
  ],
  exports: [MessagesService],
})
export class MessagesModule {}
