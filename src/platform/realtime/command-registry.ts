import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { decoratedMethods } from '../lifecycle/decorated-methods.js';
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

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (!metatype || !Reflect.getMetadata(GATEWAY, metatype)) continue;
      for (const { value, call } of decoratedMethods<CommandOptions>(instance, COMMAND))
        this.add({ ...value, handle: call });
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
