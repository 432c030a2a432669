import { Injectable } from '@nestjs/common';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable } from '../../platform/events/event-handlers.js';
import { UserErased } from '../users/users.events.js';
import { DepartureService } from './departure.service.js';

@Injectable()
export class ConversationsConsumer {
  constructor(private readonly departures: DepartureService) {}

  /** Nobody is left in a conversation who is no more. */
  @Durable(UserErased)
  async onErased({ key }: DeliveredEvent): Promise<void> {
    await this.departures.endAll(key);
  }
}
