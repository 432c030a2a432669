import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { ActivityService } from './activity.service.js';
import type { ChangePassword, ResetPassword } from './dto/otp.dto.js';
import { OtpService } from './otp.service.js';
import { PasswordsService } from './passwords.service.js';
import { SessionsService } from './sessions.service.js';
import { invalidCredentials, otpInvalid } from './users.errors.js';
import { findCredentials, findCredentialsById, setPassword } from './users.repository.js';

/** Changing a password, with the old one or with a one-time code. */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly otp: OtpService,
    private readonly activity: ActivityService,
    private readonly limiter: RateLimiter,
  ) {}

  /** Ends all other sessions. @throws invalid_credentials, rate_limited */
  async change(actor: Actor, { currentPassword, newPassword }: ChangePassword, origin: RequestOrigin): Promise<void> {
    await this.requirePassword(actor, currentPassword);
    const hash = await this.passwords.hash(newPassword);
    await this.database.tx(async (tx) => {
      if ((await setPassword(tx, actor.userId, hash)) === 0) throw invalidCredentials();
      await this.sessions.revoke(actor.userId, 'password_changed', { exceptSessionId: actor.sessionId }, tx);
      await this.activity.record(actor.userId, 'password_changed', { sessionId: actor.sessionId, ip: origin.ip }, tx);
    });
  }

  /** Ends all sessions. The code proves the address as well. @throws otp_invalid */
  async reset({ identifier, code, newPassword }: ResetPassword, origin: RequestOrigin): Promise<void> {
    await this.otp.redeem(identifier, 'reset_password', code);
    const account = await findCredentials(this.database, identifier);
    if (!account) throw otpInvalid();
    const hash = await this.passwords.hash(newPassword);
    await this.database.tx(async (tx) => {
      await this.otp.prove(account.id, identifier, tx);
      await setPassword(tx, account.id, hash);
      await this.sessions.revoke(account.id, 'password_changed', {}, tx);
      await this.activity.record(account.id, 'password_reset', { ip: origin.ip }, tx);
    });
  }

  /** Asks for the password of an account that has one, before something grave. @throws invalid_credentials, rate_limited */
  async requirePassword(actor: Actor, given: string | undefined): Promise<void> {
    const account = await findCredentialsById(this.database, actor.userId);
    if (!account || account.password === null) return;
    await this.limiter.consume('password', actor.userId, { userId: actor.userId });
    if (given === undefined || !(await this.passwords.verify(account.password, given))) throw invalidCredentials();
    await this.limiter.forget('password', actor.userId);
  }
}
