import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { ArchiveService } from './archive.service.js';
import { ConversationChangeService } from './conversation-change.service.js';
import { ConversationFeedsService } from './conversation-feeds.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { ConversationsConsumer } from './conversations.consumer.js';
import { ConversationsController } from './conversations.controller.js';
import { ConversationsGateway } from './conversations.gateway.js';
import { ConversationsRepository } from './conversations.repository.js';
import { ConversationsService } from './conversations.service.js';
import { CreationService } from './creation.service.js';
import { DepartureService } from './departure.service.js';
import { DirectoryService } from './directory.service.js';
import { DraftsController } from './drafts.controller.js';
import { DraftsRepository } from './drafts.repository.js';
import { DraftsService } from './drafts.service.js';
import { EditingService } from './editing.service.js';
import { InvitesController } from './invites.controller.js';
import { InvitesRepository } from './invites.repository.js';
import { InvitesService } from './invites.service.js';
import { MemberChangesRepository } from './member-changes.repository.js';
import { MembersController } from './members.controller.js';
import { MembersRepository } from './members.repository.js';
import { MembersService } from './members.service.js';
import { MessageSourceService } from './message-source.service.js';
import { OversightRepository } from './oversight.repository.js';
import { OversightService } from './oversight.service.js';
import { OwnReceiptsService } from './own-receipts.service.js';
import { ReceiptHintsService } from './receipt-hints.service.js';
import { ReceiptsController } from './receipts.controller.js';
import { ReceiptsRepository } from './receipts.repository.js';
import { ReceiptsService } from './receipts.service.js';
import { UnreadService } from './unread.service.js';

@Module({
  imports: [UsersModule],
  controllers: [ConversationsController, MembersController, InvitesController, DraftsController, ReceiptsController],
  providers: [
    ConversationsService,
    ConversationsGateway,
    ConversationsConsumer,
    ArchiveService,
    ConversationChangeService,
    ConversationFeedsService,
    ConversationViewsService,
    CreationService,
    DepartureService,
    DirectoryService,
    DraftsService,
    EditingService,
    InvitesService,
    MembersService,
    MessageSourceService,
    OversightService,
    OwnReceiptsService,
    ReceiptHintsService,
    ReceiptsService,
    UnreadService,
    ConversationsRepository,
    DraftsRepository,
    InvitesRepository,
    MemberChangesRepository,
    MembersRepository,
    OversightRepository,
    ReceiptsRepository,
  ],
  exports: [ConversationsService],
})
export class ConversationsModule {}
