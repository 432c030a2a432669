import type { OnModuleInit } from '@nestjs/common';
import { Authenticated } from '../../platform/auth/auth.decorator.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import { type ActivityCommand, activityCommand, type WatchCommand, watchCommand } from './dto/presence.dto.js';
import { LocalPresence } from './local-presence.service.js';
import { PresenceMoved } from './presence.events.js';
import { PresenceWatches } from './presence-watches.service.js';

@Gateway()
@Authenticated()
export class PresenceGateway implements OnModuleInit {
  constructor(
    private readonly local: LocalPresence,
    private readonly watches: PresenceWatches,
    private readonly limiter: RateLimiter,
    private readonly sockets: Sockets,
  ) {}

  onModuleInit(): void {
    this.sockets.observe({ opened: () => undefined, closed: ({ socket }) => this.watches.forget(socket.id) });
  }

  @Command('presence.activity', activityCommand)
  activity(client: SocketClient, { state }: ActivityCommand): void {
    if (client.socket.connected) this.local.set(client, state);
  }

  @Command('presence.watch', watchCommand)
  async watch(client: SocketClient, { userIds }: WatchCommand) {
    const { userId } = client.actor;
    await this.limiter.consume('presence.watch', client.socket.id, { route: 'presence.watch', userId });
    return { states: await this.watches.watch(client, userIds) };
  }

  @Live(PresenceMoved)
  onMoved({ payload }: DeliveredEvent): void {
    this.watches.onMoved(payload['userIds'] as string[], payload['atOnce'] === true);
  }
}
