import { Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { DeliveredEvent, EventClass } from './domain-event.js';

const DURABLE = 'parley:durable';
const LIVE = 'parley:live';

/**
 * At least once, on one worker, retried and dead-lettered; the handler is idempotent by event id. For methods of
 * `*.consumer.ts`.
 */
export const Durable = (event: EventClass) => SetMetadata(DURABLE, event.topic);

/** Best effort, on every replica: may be lost, doubled or late. For `*.gateway.ts`, or `*.consumer.ts` if no socket is told. */
export const Live = (event: EventClass) => SetMetadata(LIVE, event.topic);

export type EventHandler = (event: DeliveredEvent) => Promise<void> | void;
type Named = { name: string; handle: EventHandler };

/** Finds every `@Durable` and `@Live` method once, when the application starts. */
@Injectable()
export class EventHandlers implements OnModuleInit {
  private readonly durable = new Map<string, Named[]>();
  private readonly live = new Map<string, Named[]>();

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
        this.add(instance as Record<string, EventHandler>, prototype, method);
    }
  }

  durableFor(topic: string): readonly Named[] {
    return this.durable.get(topic) ?? [];
  }

  liveFor(topic: string): readonly Named[] {
    return this.live.get(topic) ?? [];
  }

  private add(instance: Record<string, EventHandler>, prototype: Record<string, unknown>, method: string): void {
    // A getter would be run by reading it.
    const handler = Object.getOwnPropertyDescriptor(prototype, method)?.value as object | undefined;
    if (typeof handler !== 'function') return;
    for (const [key, table] of [
      [DURABLE, this.durable],
      [LIVE, this.live],
    ] as const) {
      const topic = Reflect.getMetadata(key, handler) as string | undefined;
      if (topic === undefined) continue;
      const named = {
        name: `${instance.constructor.name}.${method}`,
        handle: (event: DeliveredEvent) => instance[method]?.(event),
      };
      table.set(topic, [...(table.get(topic) ?? []), named]);
    }
  }
}
