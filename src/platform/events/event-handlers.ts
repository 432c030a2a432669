import { applyDecorators, Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { DeliveredEvent, EventClass } from './domain-event.js';

const DURABLE = 'parley:durable';
const LIVE = 'parley:live';

const BATCHED = 'parley:batched';

/**
 * At least once, on one worker, retried and dead-lettered; the handler is idempotent by event id. For methods of
 * `*.consumer.ts`.
 */
export const Durable = (event: EventClass) => SetMetadata(DURABLE, event.topic);

/** The same for a handler that takes whatever is due in one call; after a failure it is called with one event at a time. */
export const DurableBatch = (event: EventClass) =>
  applyDecorators(SetMetadata(DURABLE, event.topic), SetMetadata(BATCHED, true));

/** Best effort, on every replica: may be lost, doubled or late. For `*.gateway.ts`, or `*.consumer.ts` if no socket is told. */
export const Live = (event: EventClass) => SetMetadata(LIVE, event.topic);

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

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance } of this.discovery.getProviders()) {
      if (typeof instance !== 'object' || instance === null) continue;
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
      if (!prototype) continue;
      for (const method of this.scanner.getAllMethodNames(prototype))
        this.add(instance as Record<string, (argument: unknown) => Promise<void> | void>, prototype, method);
    }
  }

  durableFor(topic: string): readonly NamedHandler[] {
    return this.durable.get(topic) ?? [];
  }

  liveFor(topic: string): readonly NamedHandler[] {
    return this.live.get(topic) ?? [];
  }

  private add(
    instance: Record<string, (argument: unknown) => Promise<void> | void>,
    prototype: Record<string, unknown>,
    method: string,
  ): void {
    // A getter would be run by reading it.
    const handler = Object.getOwnPropertyDescriptor(prototype, method)?.value as object | undefined;
    if (typeof handler !== 'function') return;
    for (const [key, table] of [
      [DURABLE, this.durable],
      [LIVE, this.live],
    ] as const) {
      const topic = Reflect.getMetadata(key, handler) as string | undefined;
      if (topic === undefined) continue;
      const name = `${instance.constructor.name}.${method}`;
      const call = (argument: unknown) => instance[method]?.(argument);
      const batched = Reflect.getMetadata(BATCHED, handler) === true;
      const named: NamedHandler = batched
        ? { name, handle: (event) => call([event]), handleMany: call }
        : { name, handle: call };
      table.set(topic, [...(table.get(topic) ?? []), named]);
    }
  }
}
