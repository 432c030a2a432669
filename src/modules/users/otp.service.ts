import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { newCode, newId, now } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { DomainError, notFound } from '../../platform/errors/domain-error.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Log } from '../../platform/logging/log.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { AccountsService, refuseTaken, unnamed } from './accounts.service.js';
import { ActivityService } from './activity.service.js';
import type { InboxView, OtpRequestedView } from './dto/otp.view.js';
import type { RequestOtp, VerifyOtp } from './dto/otp.dto.js';
import type { AuthResultView } from './dto/session.view.js';
import type { SelfView } from './dto/user.view.js';
import { OtpSender } from './otp-sender.js';
import { countFailures, insertOtp, OTP_TTL_SECONDS, type OtpPurpose, tryOtp } from './otp.repository.js';
import { ProfilesService } from './profiles.service.js';
import { SessionsService } from './sessions.service.js';
import { SignInService } from './sign-in.service.js';
import { accountSuspended, otpInvalid } from './users.errors.js';
import { UserUpdated } from './users.events.js';
import { EventsService } from '../../platform/events/events.service.js';
import { clearPassword, findCredentials, lockUser, setVerifiedIdentifier, type UserRow } from './users.repository.js';
import type { Identifier } from './users.rules.js';

const RESEND_AFTER_MS = 30_000;
/** Wrong tries in a row after which an identifier is no longer open to codes. */
const LOCKED_AFTER = 100;

/** One-time codes by mail or text message: to sign in, to prove an address, to set a new password. */
@Injectable()
export class OtpService implements OnModuleInit {
  private readonly sending = new Set<Promise<void>>();

  constructor(
    private readonly database: DatabaseService,
    private readonly sender: OtpSender,
    private readonly accounts: AccountsService,
    private readonly signIn: SignInService,
    private readonly sessions: SessionsService,
    private readonly profiles: ProfilesService,
    private readonly activity: ActivityService,
    private readonly events: EventsService,
    private readonly limiter: RateLimiter,
    private readonly box: SecretBox,
    private readonly background: BackgroundWork,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.background.registerTask({
      name: 'otp.send',
      start: () => undefined,
      stop: async () => void (await Promise.allSettled(this.sending)),
    });
  }

  /**
   * Sends a code, if there is anybody to send it to; the answer is the same and takes the same time either way.
   * @throws rate_limited, dependency_unavailable
   */
  async request({ identifier, purpose }: RequestOtp, origin: RequestOrigin): Promise<OtpRequestedView> {
    this.requireSender();
    const identifierHash = this.signIn.limitKey(identifier);
    await this.limiter.consume('otp', identifierHash, { route: 'POST /api/v1/auth/otp/request' });
    const code = newCode(6);
    const createdAt = now();
    const expiresAt = await insertOtp(this.database, {
      id: newId(),
      identifierHash,
      purpose,
      codeHash: this.hashCode(identifier, purpose, code),
      ipHash: this.activity.hashIp(origin.ip),
    });
    const wanted =
      (await this.hasUse(identifier, purpose)) && (await countFailures(this.database, identifierHash)) < LOCKED_AFTER;
    if (wanted) this.dispatch({ identifier: identifier.value, purpose, code, createdAt, expiresAt });
    return { expiresInMs: OTP_TTL_SECONDS * 1000, resendAfterMs: RESEND_AFTER_MS };
  }

  /** Signs in with a code; an unknown identifier makes an account while registration is open. @throws otp_invalid, account_suspended */
  async login(
    { identifier, code, device }: VerifyOtp,
    origin: RequestOrigin,
  ): Promise<AuthResultView & { created: boolean }> {
    await this.redeem(identifier, 'login', code);
    const account = await findCredentials(this.database, identifier);
    if (account?.state === 'suspended') throw accountSuspended();
    if (!account && this.config.AUTH_REGISTRATION === 'closed') throw otpInvalid();
    const kind = account ? 'login' : 'registered';
    const result = await this.signIn.enter(kind, device, origin, async (tx) => {
      if (!account) return (await this.accounts.create({ ...unnamed(), identifier, verified: true }, tx)).id;
      await this.prove(account.id, identifier, tx);
      return account.id;
    });
    return { ...result, created: !account };
  }

  /** Sets an address of the actor's account that the code has proven. @throws otp_invalid, already_exists */
  async verify(actor: Actor, { identifier, code }: VerifyOtp, origin: RequestOrigin): Promise<SelfView> {
    await this.redeem(identifier, 'verify', code);
    const row = await this.database.tx(async (tx) => {
      if (!(await lockUser(tx, actor.userId))) throw notFound();
      const updated = await this.setVerified(actor.userId, identifier, tx);
      await this.activity.record(
        actor.userId,
        'identifier_verified',
        { sessionId: actor.sessionId, ip: origin.ip },
        tx,
      );
      return updated;
    });
    return this.profiles.self(actor, row);
  }

  /** Spends a code. @throws otp_invalid for every reason alike */
  async redeem(identifier: Identifier, purpose: OtpPurpose, code: string): Promise<void> {
    this.requireSender();
    const identifierHash = this.signIn.limitKey(identifier);
    const locked = (await countFailures(this.database, identifierHash)) >= LOCKED_AFTER;
    const right = await tryOtp(this.database, identifierHash, purpose, this.hashCode(identifier, purpose, code));
    if (locked || !right) throw otpInvalid();
  }

  /**
   * Notes that whoever signs in holds the address. Had it never been proven, the account may have been prepared by
   * somebody else: their password and sessions end here.
   */
  async prove(userId: string, identifier: Identifier, tx: Tx): Promise<void> {
    const user = await lockUser(tx, userId);
    if (!user) throw otpInvalid();
    const provenAt = identifier.kind === 'email' ? user.emailVerifiedAt : user.phoneVerifiedAt;
    if (provenAt !== null) return;
    await clearPassword(tx, userId);
    await this.sessions.revoke(userId, 'revoked', {}, tx);
    await this.setVerified(userId, identifier, tx);
  }

  /** Codes sent lately, while developing. @throws not_found where nobody may read them */
  inbox(identifier: Identifier): InboxView {
    const messages = this.sender.inbox(identifier.value);
    if (!messages) throw notFound();
    return {
      items: messages.map((message) => ({
        ...message,
        createdAt: message.createdAt.toISOString(),
        expiresAt: message.expiresAt.toISOString(),
      })),
    };
  }

  private async setVerified(userId: string, identifier: Identifier, tx: Tx): Promise<UserRow> {
    const row = await refuseTaken(setVerifiedIdentifier(tx, userId, identifier));
    if (!row) throw notFound();
    await this.events.publish(tx, new UserUpdated(row.id, row.rev));
    return row;
  }

  private async hasUse(identifier: Identifier, purpose: OtpPurpose): Promise<boolean> {
    const account = await findCredentials(this.database, identifier);
    if (purpose === 'verify') return true;
    return account !== undefined || (purpose === 'login' && this.config.AUTH_REGISTRATION === 'open');
  }

  /** Not awaited: the time a provider takes would tell whether there is an account. */
  private dispatch(message: Parameters<OtpSender['send']>[0]): void {
    const sending: Promise<void> = this.sender
      .send(message)
      .catch((error: unknown) => this.log.error('otp.send_failed', { purpose: message.purpose, err: error }))
      .finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  private hashCode(identifier: Identifier, purpose: OtpPurpose, code: string): string {
    return this.box.sign('otp', `${purpose}|${identifier.value}|${code}`);
  }

  private requireSender(): void {
    if (!this.sender.usable)
      throw new DomainError('dependency_unavailable', { detail: 'No sender of one-time codes is configured' });
  }
}
