import { Module } from '@nestjs/common';
import { DeadLetters } from './dead-letters.js';
import { DelayedWork } from './delayed-work.js';
import { OutboxWork } from './outbox-work.driver.js';

@Module({
  providers: [{ provide: DelayedWork, useClass: OutboxWork }, DeadLetters],
  exports: [DelayedWork, DeadLetters],
})
export class QueueModule {}
