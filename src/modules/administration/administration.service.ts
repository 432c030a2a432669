import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Actor } from '../../platform/auth/actor.js';
import { Actors } from '../../platform/auth/actors.js';
import type { NewAccount } from '../users/dto/account.view.js';
import { UsersService } from '../users/users.service.js';
import { RolesService } from './roles.service.js';
import { AuditService } from './audit.service.js';
import type { AuditVerdict } from './dto/audit.view.js';
import { SetupService } from './setup.service.js';

/** What administration answers to those below it, and to the command line. */
@Injectable()
export class AdministrationService implements OnModuleInit {
  constructor(
    private readonly actors: Actors,
    private readonly users: UsersService,
    private readonly roles: RolesService,
    private readonly setup: SetupService,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    this.actors.useGrants((userIds, db) => this.roles.grantsOf(userIds, db));
    this.users.addDeletionGuard((userId, tx) => this.roles.requireOtherAdmin(userId, tx));
  }

  /** Makes an account with the role admin, whoever may run commands here. @throws already_exists */
  createAdmin(account: NewAccount): Promise<string> {
    return this.setup.createAdmin(account);
  }

  /** Whether the audit log is what was written, for whoever may run commands here. */
  verifyAudit(): Promise<AuditVerdict> {
    return this.audit.verify(Actor.system('verify'), {});
  }
}
