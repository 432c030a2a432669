import { Injectable } from '@nestjs/common';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, Live } from '../../platform/events/event-handlers.js';
import { UserErased } from '../users/users.events.js';
import { ErasureService } from './erasure.service.js';
import { MediaUploaded } from './media.events.js';
import { ProcessingService } from './processing.service.js';

@Injectable()
export class MediaConsumer {
  constructor(
    private readonly processing: ProcessingService,
    private readonly erasure: ErasureService,
  ) {}

  @Live(MediaUploaded)
  onUploaded(): void {
    this.processing.wake();
  }

  @Durable(UserErased)
  onUserErased({ key }: DeliveredEvent): Promise<void> {
    return this.erasure.erase(key);
  }
}
