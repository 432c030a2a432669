import { z } from 'zod';
import { Authenticated } from '../auth/auth.decorator.js';
import { Actors } from '../auth/actors.js';
import { GrantsChanged, SessionRevoked, type SessionRevokedPayload } from '../auth/auth.events.js';
import { DomainError } from '../errors/domain-error.js';
import type { DeliveredEvent } from '../events/domain-event.js';
import { Live } from '../events/event-handlers.js';
import { Connections } from './connections.js';
import { Command, Gateway } from './gateway.decorator.js';
import type { SocketClient } from './socket-client.js';
import { SocketGrants } from './socket-grants.js';
import { Sockets } from './sockets.js';

const refreshSchema = z.strictObject({ token: z.string().max(8192) });

/** Keeps a socket open beyond the life of the token it came with, and closes it when its session ends. */
@Gateway()
@Authenticated()
export class SessionGateway {
  constructor(
    private readonly actors: Actors,
    private readonly connections: Connections,
    private readonly sockets: Sockets,
    private readonly grants: SocketGrants,
  ) {}

  @Command('auth.refresh', refreshSchema)
  async refresh(client: SocketClient, { token }: z.output<typeof refreshSchema>) {
    const actor = await this.actors.authenticate(token, client.deviceId);
    const { userId, sessionId } = client.actor;
    if (actor.userId !== userId || actor.sessionId !== sessionId) {
      throw new DomainError('unauthenticated', { detail: 'The token is of another user or session' });
    }
    client.actor = actor;
    return { expiresAt: new Date(actor.expiresAt).toISOString() };
  }

  @Live(SessionRevoked)
  onRevoked({ payload }: DeliveredEvent): void {
    const { userId, sessionIds, reason } = payload as SessionRevokedPayload;
    this.connections.revoke(userId, new Set(sessionIds), reason);
  }

  /** Open sockets have the new permissions at once. */
  @Live(GrantsChanged)
  async onGrants({ key }: DeliveredEvent): Promise<void> {
    await this.grants.refresh(key === GrantsChanged.EVERYBODY ? this.sockets.userIds() : [key]);
  }
}
