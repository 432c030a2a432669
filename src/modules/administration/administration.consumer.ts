import { Injectable } from '@nestjs/common';
import { ActorActed, type ActorActedPayload } from '../../platform/auth/auth.events.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable } from '../../platform/events/event-handlers.js';
import { UserErased } from '../users/users.events.js';
import { AuditService } from './audit.service.js';
import { dropGrants } from './roles.repository.js';

/** Keeps what other modules say was done by permission, and nothing of the erased. */
@Injectable()
export class AdministrationConsumer {
  constructor(
    private readonly database: DatabaseService,
    private readonly audit: AuditService,
  ) {}

  @Durable(ActorActed)
  async onActed({ id, payload }: DeliveredEvent): Promise<void> {
    await this.audit.keep(id, payload as unknown as ActorActedPayload);
  }

  @Durable(UserErased)
  async onErased({ key }: DeliveredEvent): Promise<void> {
    await dropGrants(this.database, key);
  }
}
