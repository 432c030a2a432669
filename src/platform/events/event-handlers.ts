import { Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { decoratedMethods } from '../lifecycle/decorated-methods.js';
import type { DeliveredEvent, EventClass } from './domain-event.js';

const DURABLE = 'parley:durable';
const LIVE = 'parley:live';

/** What a decorated method listens to. */
interface Subscription {
  topics: readonly string[];
  batched?: boolean;
}

/**
 * At least once, on one worker, retried and dead-lettered; the handler is idempotent by event id. For methods of
 * `*.consumer.ts`.
 */
export const Durable = (event: EventClass) => SetMetadata(DURABLE, { topics: [event.topic] } satisfies Subscription);

/** The same for a handler that takes whatever is due, of one topic, in one call; after a failure it is called with one event at a time. */
export const DurableBatch = (...events: Pick<EventClass, 'topic'>[]) =>
  SetMetadata(DURABLE, { topics: events.map(({ topic }) => topic), batched: true } satisfies Subscription);

/** Best effort, on every replica: may be lost, doubled or late. For `*.gateway.ts`, or `*.consumer.ts` if no socket is told. */
export const Live = (event: EventClass) => SetMetadata(LIVE, { topics: [event.topic] } satisfies Subscription);

export type EventHandler = (event: DeliveredEvent) => Promise<void> | void;
export type BatchHandler = (events: readonly DeliveredEvent[]) => Promise<void> | void;

/** One decorated method. */
export interface NamedHandler {
  name: string;
  handle: EventHandler;
  /** Set for a batched handler. */
  handleMany?: BatchHandler;
}

/** Finds every `@Durable` and `@Live` method once, when the application starts. */
@Injectable()
export class EventHandlers implements OnModuleInit {
  private readonly durable = new Map<string, NamedHandler[]>();
  private readonly live = new Map<string, NamedHandler[]>();

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    for (const { instance } of this.discovery.getProviders()) {
      for (const { name, value, call } of decoratedMethods<Subscription>(instance, DURABLE)) {
        const one: EventHandler = (event) => call(value.batched ? [event] : event) as Promise<void> | void;
        const many = value.batched ? { handleMany: call as BatchHandler } : {};
        this.add(this.durable, value.topics, { name, handle: one, ...many });
      }
      for (const { name, value, call } of decoratedMethods<Subscription>(instance, LIVE)) {
        this.add(this.live, value.topics, { name, handle: call as EventHandler });
      }
    }
  }

  durableFor(topic: string): readonly NamedHandler[] {
    return this.durable.get(topic) ?? [];
  }

  liveFor(topic: string): readonly NamedHandler[] {
    return this.live.get(topic) ?? [];
  }

  private add(table: Map<string, NamedHandler[]>, topics: readonly string[], handler: NamedHandler): void {
    for (const topic of topics) table.set(topic, [...(table.get(topic) ?? []), handler]);
  }
}
