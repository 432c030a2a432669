import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Actors } from '../../platform/auth/actors.js';
import { Authenticated, CurrentActor, Public } from '../../platform/auth/auth.decorator.js';
import { type Page, pageOf } from '../../platform/http/cursor.js';
import { CurrentOrigin, type RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { WithoutIdempotencyKey } from '../../platform/http/idempotency.interceptor.js';
import { Returns } from '../../platform/http/returns.decorator.js';
import { uuid } from '../../platform/http/text.js';
import { Limited, Unlimited } from '../../platform/ratelimit/limit.guard.js';
import { authResultView, sessionView, type SessionView, tokensView } from './dto/session.view.js';
import * as dto from './dto/sign-in.dto.js';
import { SessionsService } from './sessions.service.js';
import { SignInService } from './sign-in.service.js';

@Controller('api/v1/auth')
export class AuthController {
  constructor(
    private readonly signIn: SignInService,
    private readonly sessions: SessionsService,
    private readonly actors: Actors,
  ) {}

  /** Makes an account and signs it in. */
  @Post('register')
  @Public()
  @Limited('register')
  @Returns(201, authResultView)
  register(@Body({ schema: dto.register }) input: dto.Register, @CurrentOrigin() origin: RequestOrigin) {
    return this.signIn.register(input, origin);
  }

  @Post('login')
  @WithoutIdempotencyKey()
  @Public()
  @Limited('login.ip')
  @Returns(200, authResultView)
  login(@Body({ schema: dto.login }) input: dto.Login, @CurrentOrigin() origin: RequestOrigin) {
    return this.signIn.login(input, origin);
  }

  /** Exchanges a refresh token for new tokens; the old one is spent. Counted when it fails: offices share an address. */
  @Post('refresh')
  @WithoutIdempotencyKey()
  @Public()
  @Unlimited()
  @Returns(200, tokensView)
  async refresh(@Body({ schema: dto.refresh }) { refreshToken }: dto.Refresh, @CurrentOrigin() { ip }: RequestOrigin) {
    try {
      return await this.sessions.refresh(refreshToken);
    } catch (error) {
      await this.actors.refused(ip);
      throw error;
    }
  }

  /** Ends this session. */
  @Post('logout')
  @Authenticated()
  @Returns(204)
  logout(@CurrentActor() actor: Actor, @CurrentOrigin() origin: RequestOrigin) {
    return this.sessions.logout(actor, origin);
  }
}

/** Live sessions of the caller, under both paths clients know. */
@Controller(['api/v1/auth/sessions', 'api/sessions'])
@Authenticated()
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Returns(200, pageOf(sessionView))
  async list(@CurrentActor() actor: Actor): Promise<Page<SessionView>> {
    return { items: await this.sessions.list(actor), next: null, prev: null };
  }

  /** Ends all sessions but this one. */
  @Delete()
  @Returns(204)
  revokeOthers(@CurrentActor() actor: Actor, @CurrentOrigin() origin: RequestOrigin) {
    return this.sessions.revokeOthers(actor, origin);
  }

  @Delete(':id')
  @Returns(204)
  revoke(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: uuid }) id: string,
    @CurrentOrigin() origin: RequestOrigin,
  ) {
    return this.sessions.revokeOne(actor, id, origin);
  }
}
