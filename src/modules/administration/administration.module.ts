import { Module } from '@nestjs/common';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { MediaModule } from '../media/media.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { UsersModule } from '../users/users.module.js';
import { AdministrationConsumer } from './administration.consumer.js';
import { AdministrationService } from './administration.service.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { ContentController } from './content.controller.js';
import { JobsController } from './jobs.controller.js';
import { JobsService } from './jobs.service.js';
import { ModerationController } from './moderation.controller.js';
import { ModerationService } from './moderation.service.js';
import { OverridesService } from './overrides.service.js';
import { PeopleController } from './people.controller.js';
import { PeopleService } from './people.service.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';
import { RolesController } from './roles.controller.js';
import { RolesService } from './roles.service.js';
import { SetupController } from './setup.controller.js';
import { SetupService } from './setup.service.js';

@Module({
  imports: [UsersModule, ConversationsModule, MediaModule, MessagesModule],
  controllers: [
    AuditController,
    ContentController,
    JobsController,
    ModerationController,
    PeopleController,
    ReportsController,
    RolesController,
    SetupController,
  ],
  providers: [
    AdministrationService,
    AdministrationConsumer,
    AuditService,
    JobsService,
    ModerationService,
    OverridesService,
    PeopleService,
    ReportsService,
    RolesService,
    SetupService,
  ],
  exports: [AdministrationService],
})
export class AdministrationModule {}
