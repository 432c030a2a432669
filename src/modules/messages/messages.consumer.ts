import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, DurableBatch } from '../../platform/events/event-handlers.js';
import { MediaReady, MediaWithdrawn } from '../media/media.events.js';
import { UserErased } from '../users/users.events.js';
import { ErasureService } from './erasure.service.js';
import { MessageCreated, MessageDeleted, MessageUpdated } from './messages.events.js';
import { MessagesService } from './messages.service.js';
import { reindex } from './search.repository.js';

/**
 * Fills the search index behind the sends, so that no send waits for it; erases what erased people wrote; shows files as
 * they are by now.
 */
@Injectable()
export class MessagesConsumer {
  constructor(
    private readonly database: DatabaseService,
    private readonly erasure: ErasureService,
    private readonly messages: MessagesService,
  ) {}

  @Durable(MediaReady)
  onMediaReady({ key }: DeliveredEvent): Promise<void> {
    return this.messages.fileChanged(key);
  }
  @Durable(MediaWithdrawn)
  onMediaWithdrawn({ key }: DeliveredEvent): Promise<void> {
    return this.messages.fileChanged(key);
  }

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
