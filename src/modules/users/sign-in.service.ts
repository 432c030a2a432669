import { Injectable } from '@nestjs/common';
import { Actors } from '../../platform/auth/actors.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { AccountsService } from './accounts.service.js';
import { ActivityService } from './activity.service.js';
import type { DeviceInput } from './dto/fields.dto.js';
import type { AuthResultView } from './dto/session.view.js';
import type { Login, Register } from './dto/sign-in.dto.js';
import { toSelfView } from './dto/user.view.js';
import { forgetOtps } from './otp.repository.js';
import { PasswordsService } from './passwords.service.js';
import { SessionsService } from './sessions.service.js';
import { accountSuspended, invalidCredentials, registrationClosed } from './users.errors.js';
import { findCredentials, findUser, markLogin, setPassword } from './users.repository.js';
import type { ActivityKind } from './activity.repository.js';
import type { Identifier } from './users.rules.js';

/** Registration and login with a password. */
@Injectable()
export class SignInService {
  constructor(
    private readonly database: DatabaseService,
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly activity: ActivityService,
    private readonly actors: Actors,
    private readonly limiter: RateLimiter,
    private readonly box: SecretBox,
    private readonly config: Config,
  ) {}

  /** @throws registration_closed, already_exists */
  async register({ device, ...input }: Register, origin: RequestOrigin): Promise<AuthResultView> {
    if (this.config.AUTH_REGISTRATION === 'closed') throw registrationClosed();
    const password = await this.passwords.hash(input.password);
    return this.enter(
      'registered',
      device,
      origin,
      async (tx) => (await this.accounts.create({ ...input, password }, tx)).id,
    );
  }

  /** @throws invalid_credentials, account_suspended, rate_limited */
  async login({ identifier, password, device }: Login, origin: RequestOrigin): Promise<AuthResultView> {
    const limitKey = this.limitKey(identifier);
    await this.limiter.consume('login', limitKey, { route: 'POST /api/v1/auth/login' });
    const account = await findCredentials(this.database, identifier);
    // The same work for everybody: an unknown account is compared with a decoy.
    const right = await this.passwords.verify(account?.password, password);
    if (!account || !right) throw invalidCredentials();
    if (account.state !== 'active') throw accountSuspended();
    await this.limiter.forget('login', limitKey);
    // Who knows the password is not locked out by failures of others to guess a code.
    await forgetOtps(this.database, limitKey);
    await this.rehash(account.id, account.password, password);
    return this.enter('login', device, origin, async () => account.id);
  }

  /** Opens a session for the user that `who` finds or makes in the same transaction. */
  async enter(
    kind: ActivityKind,
    device: DeviceInput | undefined,
    origin: RequestOrigin,
    who: (tx: Tx) => Promise<string>,
  ): Promise<AuthResultView> {
    const { user, opened } = await this.database.tx(async (tx) => {
      const userId = await who(tx);
      const session = await this.sessions.open(userId, device, origin, tx);
      await markLogin(tx, userId);
      await this.activity.record(userId, kind, { sessionId: session.sessionId, ip: origin.ip }, tx);
      if (kind === 'login' && session.onNewDevice)
        await this.activity.alarm(userId, 'new_sign_in', session.sessionId, tx);
      const row = await findUser(tx, userId);
      // Deleted since its password was read.
      if (!row || row.state === 'deleted') throw invalidCredentials();
      return { user: row, opened: session };
    });
    const [tokens, grants] = await Promise.all([this.sessions.tokensOf(opened), this.actors.grantsOf(user.id)]);
    return { user: toSelfView(user, grants), tokens };
  }

  /** Identifiers are counted under a hash: tables of counters and codes are no list of accounts. */
  limitKey(identifier: Identifier): string {
    return this.box.sign('identifier', identifier.value).slice(0, 22);
  }

  private async rehash(userId: string, stored: string | null, password: string): Promise<void> {
    if (stored === null || !(await this.passwords.isOutdated(stored))) return;
    await setPassword(this.database, userId, await this.passwords.hash(password), stored);
  }
}
