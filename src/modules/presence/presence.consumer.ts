import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable } from '../../platform/events/event-handlers.js';
import { UserErased } from '../users/users.events.js';
import { erasePresence } from './presence.repository.js';

/** When somebody was seen last is about the person, and goes with them. */
@Injectable()
export class PresenceConsumer {
  constructor(private readonly database: DatabaseService) {}

  @Durable(UserErased)
  async onErased({ key }: DeliveredEvent): Promise<void> {
    await erasePresence(this.database, key);
  }
}
