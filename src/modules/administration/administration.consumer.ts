import { Injectable } from '@nestjs/common';
import { ActorActed, type ActorActedPayload } from '../../platform/auth/auth.events.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable } from '../../platform/events/event-handlers.js';
import { AuditService } from './audit.service.js';

/** Keeps what other modules say was done by permission. */
@Injectable()
export class AdministrationConsumer {
  constructor(private readonly audit: AuditService) {}

  @Durable(ActorActed)
  async onActed({ id, payload }: DeliveredEvent): Promise<void> {
    await this.audit.keep(id, payload as unknown as ActorActedPayload);
  }
}
