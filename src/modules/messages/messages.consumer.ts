import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, DurableBatch } from '../../platform/events/event-handlers.js';
import { UserErased } from '../users/users.events.js';
import { ErasureService } from './erasure.service.js';
import { MessageCreated, MessageDeleted, MessageUpdated } from './messages.events.js';
import { reindex } from './search.repository.js';

/** Fills the search index behind the sends, so that no send waits for it; and erases what erased people wrote. */
@Injectable()
export class MessagesConsumer {
  constructor(
    private readonly database: DatabaseService,
    private readonly erasure: ErasureService,
  ) {}

  @Durable(UserErased)
  async onUserErased(event: DeliveredEvent): Promise<void> {
    await this.erasure.erase(event);
  }

  @DurableBatch(MessageCreated)
  onCreated(events: readonly DeliveredEvent[]): Promise<void> {
    return this.index(events);
  }
  @DurableBatch(MessageUpdated)
  onUpdated(events: readonly DeliveredEvent[]): Promise<void> {
    return this.index(events);
  }
  @DurableBatch(MessageDeleted)
  onDeleted(events: readonly DeliveredEvent[]): Promise<void> {
    return this.index(events);
  }

  private async index(events: readonly DeliveredEvent[]): Promise<void> {
    await reindex(
      this.database,
      events.map(({ payload }) => String(payload['id'])),
    );
  }
}
