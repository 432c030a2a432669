import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { POLICY, type RoutePolicy } from '../auth/auth.decorator.js';
import type { Permission } from '../auth/permissions.js';
import { decoratedMethods } from '../lifecycle/decorated-methods.js';
import { COMMAND, type CommandOptions, GATEWAY } from './gateway.decorator.js';
import type { SocketClient } from './socket-client.js';

/** One event a client may send, with the method that answers it. */
export interface Command extends CommandOptions {
  /** Any signed-in user, or those with a permission; what they may do to what is decided by the service. */
  policy: 'user' | { permission: Permission };
  handle(client: SocketClient, input: unknown): unknown;
}

/**
 * Every `@Command` of every `@Gateway`, found once at start. Two methods for one event fail the boot, and so does a
 * command whose method and class say nothing about who may send it.
 */
@Injectable()
export class CommandRegistry implements OnModuleInit {
  private readonly commands = new Map<string, Command>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (!metatype || !Reflect.getMetadata(GATEWAY, metatype)) continue;
      for (const { name, handler, value, call } of decoratedMethods<CommandOptions>(instance, COMMAND)) {
        const policy = this.reflector.getAllAndOverride<RoutePolicy | undefined>(POLICY, [handler, metatype]);
        if (policy !== 'user' && typeof policy !== 'object')
          throw new Error(`the socket event ${value.event} has no policy (${name}); add @Authenticated or @Requires`);
        this.add({ ...value, policy, handle: call });
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
