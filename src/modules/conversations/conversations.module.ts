import { Module } from '@nestjs/common';
import { ConversationViewsService } from './conversation-views.service.js';
import { ConversationsRepository } from './conversations.repository.js';
import { ConversationsService } from './conversations.service.js';
import { MembersRepository } from './members.repository.js';
import { MessageSourceService } from './message-source.service.js';
import { ReceiptHintsService } from './receipt-hints.service.js';
import { ReceiptsRepository } from './receipts.repository.js';
import { ReceiptsService } from './receipts.service.js';
import { UnreadService } from './unread.service.js';

@Module({
  providers: [
    ConversationsService,
    ConversationViewsService,
    UnreadService,
    ReceiptsService,
    ReceiptHintsService,
    MessageSourceService,
    ConversationsRepository,
    MembersRepository,
    ReceiptsRepository,
  ],
  exports: [ConversationsService],
})
export class ConversationsModule {}
