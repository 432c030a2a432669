import { Module } from '@nestjs/common';
import { AccountController } from './account.controller.js';
import { AccountsService } from './accounts.service.js';
import { ActivityService } from './activity.service.js';
import { Config } from '../../platform/config/config.js';
import { Log } from '../../platform/logging/log.js';
import { AuthController, SessionsController } from './auth.controller.js';
import { CredentialsService } from './credentials.service.js';
import { ErasureService } from './erasure.service.js';
import { ExportsService } from './exports.service.js';
import { HostTokensService } from './host-tokens.service.js';
import { LogOtpSender } from './log-otp.driver.js';
import { AccountOversight } from './oversight.service.js';
import { OtpController } from './otp.controller.js';
import { OtpSender } from './otp-sender.js';
import { OtpService } from './otp.service.js';
import { PasswordsService } from './passwords.service.js';
import { PreferencesController } from './preferences.controller.js';
import { PreferencesService } from './preferences.service.js';
import { ProfilesService } from './profiles.service.js';
import { RelationsController } from './relations.controller.js';
import { RelationsService } from './relations.service.js';
import { SessionsService } from './sessions.service.js';
import { SignInService } from './sign-in.service.js';
import { UserSources } from './sources.service.js';
import { SuspensionsService } from './suspensions.service.js';
import { UserFeedService } from './user-feed.service.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { WebhookOtpSender } from './webhook-otp.driver.js';

@Module({
  controllers: [
    AuthController,
    SessionsController,
    OtpController,
    UsersController,
    AccountController,
    RelationsController,
    PreferencesController,
  ],
  providers: [
    UsersService,
    AccountOversight,
    AccountsService,
    ActivityService,
    CredentialsService,
    ErasureService,
    ExportsService,
    HostTokensService,
    OtpService,
    PasswordsService,
    PreferencesService,
    ProfilesService,
    RelationsService,
    SessionsService,
    SignInService,
    SuspensionsService,
    UserFeedService,
    UserSources,
    {
      provide: OtpSender,
      inject: [Config, Log],
      useFactory: (config: Config, log: Log) =>
        config.OTP_SENDER === 'webhook' ? new WebhookOtpSender(config) : new LogOtpSender(config, log),
    },
  ],
  exports: [UsersService],
})
export class UsersModule {}
