import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { newId, newSecret } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import type { RequestOrigin, RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { Log } from '../../platform/logging/log.js';
import type { NewAccount } from '../users/dto/account.view.js';
import type { AuthResultView } from '../users/dto/session.view.js';
import { UsersService } from '../users/users.service.js';
import { setupTokenInvalid } from './administration.errors.js';
import { AuditService } from './audit.service.js';
import type { Setup } from './dto/setup.dto.js';
import { RolesService } from './roles.service.js';
import { storeSetupToken, useSetupToken } from './setup.repository.js';

const TOKEN_SECONDS = 86_400;

/** The first admin. There is no default account: whoever reads the server's output, or runs its commands, makes one. */
@Injectable()
export class SetupService implements OnApplicationBootstrap {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly roles: RolesService,
    private readonly audit: AuditService,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** Never rejects: an installation without an admin still serves everybody else. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      if (await this.roles.hasAdmin()) return;
      const token = this.config.SETUP_TOKEN ?? newSecret(24);
      await storeSetupToken(this.database, hash(token), TOKEN_SECONDS);
      const given = this.config.SETUP_TOKEN === undefined ? `the setup token ${token}` : 'SETUP_TOKEN';
      this.log.warn(
        'setup.required',
        {},
        `There is no admin yet. Within 24 hours: POST /api/v1/setup with ${given}, or run: parley user create-admin`,
      );
    } catch (error) {
      this.log.error('setup.failed', { err: error });
    }
  }

  async isRequired(): Promise<boolean> {
    return !(await this.roles.hasAdmin());
  }

  /** Makes the first admin and signs them in. @throws not_found once there is one, setup_token_invalid, already_exists */
  async run({ setupToken, ...account }: Setup, origin: RequestOrigin, trace: RequestTrace): Promise<AuthResultView> {
    if (!(await this.isRequired())) throw notFound();
    const userId = await this.create(account, trace, async (tx) => {
      if (!(await useSetupToken(tx, hash(setupToken)))) throw setupTokenInvalid();
    });
    return this.users.openSession(userId, undefined, origin);
  }

  /** Makes an admin, on behalf of whoever may run commands on the server. @throws already_exists */
  createAdmin(account: NewAccount): Promise<string> {
    return this.create(account, { requestId: newId(), ip: '' });
  }

  private create(
    { identifier, displayName, password, handle }: NewAccount,
    trace: RequestTrace,
    check: (tx: Tx) => Promise<void> = async () => undefined,
  ): Promise<string> {
    const input = {
      identifier,
      displayName,
      verified: true,
      ...(password === undefined ? {} : { password }),
      ...(handle === undefined ? {} : { handle }),
    };
    return this.users.createAccount(input, async (userId, tx) => {
      await check(tx);
      await this.roles.makeAdmin(userId, tx);
      const after = { [identifier.kind]: identifier.value, displayName, roles: ['admin'] };
      const deed = { action: 'user.create_admin', permission: 'setup', targetType: 'user', targetId: userId } as const;
      await this.audit.record(null, { ...deed, after }, trace, tx);
    });
  }
}

/** 24 random bytes, or 32 characters of the operator's choice. */
const hash = (token: string): string => createHash('sha256').update(token).digest('base64url');
