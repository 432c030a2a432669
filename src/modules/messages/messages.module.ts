import { Module } from '@nestjs/common';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MediaModule } from '../media/media.module.js';
import { UsersModule } from '../users/users.module.js';
import { AttachmentReader } from './attachment-reader.service.js';
import { CallProgressService } from './call-progress.service.js';
import { CallSignalsService } from './call-signals.service.js';
import { CallsController } from './calls.controller.js';
import { CallsGateway } from './calls.gateway.js';
import { CallsService } from './calls.service.js';
import { ConversationSource } from './conversation-source.service.js';
import { DraftService } from './draft.service.js';
import { ErasureService } from './erasure.service.js';
import { MessageBatchService } from './message-batch.service.js';
import { MessageChangeService } from './message-change.service.js';
import { MessageChangesController } from './message-changes.controller.js';
import { MessageEditService } from './message-edit.service.js';
import { MessageFeedService } from './message-feed.service.js';
import { MessageHistoryService } from './message-history.service.js';
import { MessageViews } from './message-views.service.js';
import { MessagesConsumer } from './messages.consumer.js';
import { MessagesController } from './messages.controller.js';
import { MessagesGateway } from './messages.gateway.js';
import { MessagesService } from './messages.service.js';
import { ModerationHook } from './moderation-hook.service.js';
import { PinsService } from './pins.service.js';
import { ReactionsService } from './reactions.service.js';
import { ScheduledController } from './scheduled.controller.js';
import { ScheduledDispatch } from './scheduled-dispatch.service.js';
import { ScheduledService } from './scheduled.service.js';
import { SearchController } from './search.controller.js';
import { SearchService } from './search.service.js';
import { SyncController } from './sync.controller.js';
import { SyncGateway } from './sync.gateway.js';
import { SyncService } from './sync.service.js';
import { ThreadsController } from './threads.controller.js';
import { ThreadsService } from './threads.service.js';
import { TypingGateway } from './typing.gateway.js';

@Module({
  imports: [UsersModule, ConversationsModule, MediaModule],
  controllers: [
    MessagesController,
    MessageChangesController,
    ThreadsController,
    CallsController,
    ScheduledController,
    SearchController,
    SyncController,
  ],
  providers: [
    MessagesService,
    MessagesGateway,
    MessagesConsumer,
    AttachmentReader,
    CallProgressService,
    CallSignalsService,
    CallsGateway,
    CallsService,
    ConversationSource,
    DraftService,
    ErasureService,
    MessageBatchService,
    MessageChangeService,
    MessageEditService,
    MessageFeedService,
    MessageHistoryService,
    MessageViews,
    ModerationHook,
    PinsService,
    ReactionsService,
    ScheduledDispatch,
    ScheduledService,
    SearchService,
    SyncGateway,
    SyncService,
    ThreadsService,
    TypingGateway,
  ],
  exports: [MessagesService],
})
export class MessagesModule {}
