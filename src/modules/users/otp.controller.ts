import { Body, Controller, Get, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Actor } from '../../platform/auth/actor.js';
import { Actors } from '../../platform/auth/actors.js';
import { Authenticated, CurrentActor, Public } from '../../platform/auth/auth.decorator.js';
import { bearerToken } from '../../platform/auth/auth.guard.js';
import { CurrentOrigin, type RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { Limited } from '../../platform/ratelimit/limit.guard.js';
import { CredentialsService } from './credentials.service.js';
import * as dto from './dto/otp.dto.js';
import { inboxView, otpRequestedView, otpVerifiedView } from './dto/otp.view.js';
import { OtpService } from './otp.service.js';

@Controller('api/v1')
export class OtpController {
  constructor(
    private readonly otp: OtpService,
    private readonly credentials: CredentialsService,
    private readonly actors: Actors,
  ) {}

  /** Sends a one-time code; purpose verify is for users who are signed in. */
  @Post('auth/otp/request')
  @Public()
  @Limited('otp.ip')
  @Returns(202, otpRequestedView)
  async request(
    @Body({ schema: dto.requestOtp }) input: dto.RequestOtp,
    @CurrentOrigin() origin: RequestOrigin,
    @Req() request: Request,
  ) {
    if (input.purpose === 'verify') await this.actors.authenticate(bearerToken(request));
    return this.otp.request(input, origin);
  }

  @Post('auth/otp/verify')
  @Public()
  @Limited('login.ip')
  @Returns(200, otpVerifiedView)
  async verify(
    @Body({ schema: dto.verifyOtp }) input: dto.VerifyOtp,
    @CurrentOrigin() origin: RequestOrigin,
    @Req() request: Request,
  ) {
    if (input.purpose === 'login') return this.otp.login(input, origin);
    return this.otp.verify(await this.actors.authenticate(bearerToken(request)), input, origin);
  }

  @Post('auth/password')
  @Authenticated()
  @Returns(204)
  change(
    @CurrentActor() actor: Actor,
    @Body({ schema: dto.changePassword }) input: dto.ChangePassword,
    @CurrentOrigin() origin: RequestOrigin,
  ) {
    return this.credentials.change(actor, input, origin);
  }

  /** Sets a new password with a code of purpose reset_password. */
  @Post('auth/password/reset')
  @Public()
  @Limited('login.ip')
  @Returns(204)
  reset(@Body({ schema: dto.resetPassword }) input: dto.ResetPassword, @CurrentOrigin() origin: RequestOrigin) {
    return this.credentials.reset(input, origin);
  }

  /** Codes sent lately to an identifier, where the log is the sender; never in production. */
  @Get('dev/otp-inbox')
  @Public()
  @Returns(200, inboxView)
  inbox(@Query({ schema: dto.inboxQuery }) { identifier }: dto.InboxQuery) {
    return this.otp.inbox(identifier);
  }
}
