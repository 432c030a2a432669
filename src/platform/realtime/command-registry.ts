import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { COMMAND, type CommandOptions, GATEWAY } from './gateway.decorator.js';
import type { SocketClient } from './socket-client.js';

/** One event a client may send, with the method that answers it. */
export interface Command extends CommandOptions {
  handle(client: SocketClient, input: unknown): unknown;
}

/** Every `@Command` of every `@Gateway`, found once at start. Two methods for one event fail the boot. */
@Injectable()
export class CommandRegistry implements OnModuleInit {
  private readonly commands = new Map<string, Command>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (!metatype || typeof instance !== 'object' || instance === null || !Reflect.getMetadata(GATEWAY, metatype))
        continue;
      const gateway = instance as Record<string, (client: SocketClient, input: unknown) => unknown>;
      for (const method of this.scanner.getAllMethodNames(Object.getPrototypeOf(gateway) as object)) {
        const handler = gateway[method];
        const options = handler && (Reflect.getMetadata(COMMAND, handler) as CommandOptions | undefined);
        if (options) this.add({ ...options, handle: (client, input) => gateway[method]?.(client, input) });
      }
    }
  }

  get(event: string): Command | undefined {
    return this.commands.get(event);
  }

  /** For the AsyncAPI document. */
  all(): readonly Command[] {
    return [...this.commands.values()];
  }

  private add(command: Command): void {
    if (this.commands.has(command.event)) throw new Error(`two commands answer the socket event ${command.event}`);
    this.commands.set(command.event, command);
  }
}
