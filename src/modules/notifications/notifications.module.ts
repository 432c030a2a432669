import { Module } from '@nestjs/common';
import { QueueModule } from '../../platform/queue/queue.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { UsersModule } from '../users/users.module.js';
import { AudienceService } from './audience.service.js';
import { ClearingService } from './clearing.service.js';
import { DeedsService } from './deeds.service.js';
import { DeliveryService } from './delivery.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { ExpansionService } from './expansion.service.js';
import { ExplainService } from './explain.service.js';
import { InboxController } from './inbox.controller.js';
import { InboxService } from './inbox.service.js';
import { MentionsService } from './mentions.service.js';
import { NotificationsConsumer } from './notifications.consumer.js';
import { NotificationsService } from './notifications.service.js';
import { PushTexts } from './push-texts.service.js';
import { PersonalDataService } from './personal-data.service.js';
import { PushProviders } from './push/push-providers.service.js';
import { ReceiptsService } from './push/receipts.service.js';
import { QueuesController } from './queues.controller.js';
import { QueuesService } from './queues.service.js';
import { WebhookDelivery } from './webhook-delivery.service.js';
import { WebhooksConsumer } from './webhooks.consumer.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksService } from './webhooks.service.js';

@Module({
  imports: [QueueModule, UsersModule, ConversationsModule, MessagesModule],
  controllers: [DevicesController, InboxController, QueuesController, WebhooksController],
  providers: [
    NotificationsService,
    NotificationsConsumer,
    AudienceService,
    ClearingService,
    DeedsService,
    DeliveryService,
    DevicesService,
    ExpansionService,
    ExplainService,
    InboxService,
    MentionsService,
    PersonalDataService,
    PushProviders,
    PushTexts,
    QueuesService,
    ReceiptsService,
    WebhookDelivery,
    WebhooksConsumer,
    WebhooksService,
  ],
  exports: [NotificationsService],
})
export class NotificationsModule {}
