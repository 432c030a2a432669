import { Module } from '@nestjs/common';
import { AccountsService } from './accounts.service.js';
import { ActivityService } from './activity.service.js';
import { AuthController, SessionsController } from './auth.controller.js';
import { PasswordsService } from './passwords.service.js';
import { ProfilesService } from './profiles.service.js';
import { SessionsService } from './sessions.service.js';
import { SignInService } from './sign-in.service.js';
import { UserSources } from './sources.service.js';
import { UserFeedService } from './user-feed.service.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  controllers: [AuthController, SessionsController, UsersController],
  providers: [
    UsersService,
    AccountsService,
    ActivityService,
    PasswordsService,
    ProfilesService,
    SessionsService,
    SignInService,
    UserFeedService,
    UserSources,
  ],
  exports: [UsersService],
})
export class UsersModule {}
