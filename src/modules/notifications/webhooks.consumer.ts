import { Injectable } from '@nestjs/common';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { DurableBatch } from '../../platform/events/event-handlers.js';
import { webhookTypes } from './dto/webhook-event.view.js';
import { WebhooksService } from './webhooks.service.js';

/** Hears everything the host application may want to hear, also of modules above: by the name under which it knows them. */
@Injectable()
export class WebhooksConsumer {
  constructor(private readonly webhooks: WebhooksService) {}

  @DurableBatch(...webhookTypes.map((topic) => ({ topic })))
  onEvents(events: readonly DeliveredEvent[]): Promise<void> {
    return this.webhooks.enter(events);
  }
}
