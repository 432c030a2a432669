import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { Authenticated } from '../../../src/platform/auth/auth.decorator.js';
import { Actors } from '../../../src/platform/auth/actors.js';
import { AuthModule } from '../../../src/platform/auth/auth.module.js';
import { TokenService } from '../../../src/platform/auth/token.service.js';
import { newId } from '../../../src/platform/clock/clock.js';
import { ConfigModule } from '../../../src/platform/config/config.module.js';
import { loadConfig } from '../../../src/platform/config/config.js';
import { DatabaseModule } from '../../../src/platform/database/database.module.js';
import { DomainError } from '../../../src/platform/errors/domain-error.js';
import { Bus } from '../../../src/platform/events/bus.js';
import { DomainEvent, type DeliveredEvent } from '../../../src/platform/events/domain-event.js';
import { Live } from '../../../src/platform/events/event-handlers.js';
import { EventsModule } from '../../../src/platform/events/events.module.js';
import { EventsService } from '../../../src/platform/events/events.service.js';
import { BootState } from '../../../src/platform/lifecycle/boot-state.js';
import { LifecycleModule } from '../../../src/platform/lifecycle/lifecycle.module.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import { LoggingModule } from '../../../src/platform/logging/logging.module.js';
import { RateLimitModule } from '../../../src/platform/ratelimit/ratelimit.module.js';
import { Connections } from '../../../src/platform/realtime/connections.js';
import { type ConversationChange, Feeds, type UserChange } from '../../../src/platform/realtime/feeds.js';
import { GatedIoAdapter } from '../../../src/platform/realtime/gated-io.adapter.js';
import { Command, Gateway } from '../../../src/platform/realtime/gateway.decorator.js';
import { RealtimeModule } from '../../../src/platform/realtime/realtime.module.js';
import { RoomSequencer } from '../../../src/platform/realtime/room-sequencer.js';
import { Rooms } from '../../../src/platform/realtime/rooms.js';
import type { SocketClient } from '../../../src/platform/realtime/socket-client.js';
import { UserSequencer } from '../../../src/platform/realtime/user-sequencer.js';
import { connect, type Connection } from '../../support/people.js';
import type { World } from './world.js';

/** A conversation or a user's feed moved; the view is the change itself. */
class FeedMoved extends DomainEvent {
  static override readonly topic = 'test.moved';
  constructor(
    private readonly feed: 'conversation' | 'user',
    readonly key: string,
    private readonly rev: number,
  ) {
    super();
  }
  payload() {
    return { feed: this.feed };
  }
  override position() {
    return { feed: this.feed, id: this.key, rev: this.rev };
  }
}

@Gateway()
@Authenticated()
class TestGateway {
  constructor(
    private readonly rooms: RoomSequencer,
    private readonly users: UserSequencer,
  ) {}

  @Command('test.echo', z.strictObject({ text: z.string() }))
  echo(client: SocketClient, { text }: { text: string }) {
    return { text, userId: client.actor.userId };
  }

  @Command('test.large', z.strictObject({ bytes: z.number() }))
  large(_client: SocketClient, { bytes }: { bytes: number }) {
    return { text: 'x'.repeat(bytes) };
  }

  @Command('test.refuse', z.strictObject({}))
  async refuse(): Promise<never> {
    throw new DomainError('role_insufficient');
  }

  @Command('test.break', z.strictObject({}))
  async break(): Promise<never> {
    throw new Error('secret detail');
  }

  @Live(FeedMoved)
  onMoved({ key, payload, view }: DeliveredEvent): void {
    if (view === undefined) return;
    if (payload['feed'] === 'user') this.users.apply(key, [view as UserChange]);
    else this.rooms.apply(key, [view as ConversationChange]);
  }
}

@Module({ imports: [RealtimeModule], providers: [TestGateway] })
class TestModule {}

export interface Replica {
  url: string;
  bus: Bus;
  rooms: Rooms;
  events: EventsService;
  connections: Connections;
  /** Tells a change of a conversation, as the module that made it would; without its view on request. */
  tell(conversationId: string, change: ConversationChange, options?: { view: boolean }): void;
  tellUser(userId: string, change: UserChange): void;
  token(userId: string, sessionId?: string): Promise<string>;
  connect(userId: string, sessionId?: string): Promise<Connection>;
  close(): Promise<void>;
}

export const DEVICE = 'device-1';

/** The platform with a gateway of the test on top, on a free port; users and sessions are whatever a token says. */
export async function startReplica(
  databaseUrl: string,
  world: World,
  environment: Record<string, string> = {},
): Promise<Replica> {
  const config = await loadConfig({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    LOG_LEVEL: 'silent',
    RATE_SCALE: '1000',
    LOAD_SHEDDING: 'false',
    ...environment,
  });
  const log = await createLog({ level: config.LOG_LEVEL, pretty: false, base: {} });
  const server = createServer();
  const nest = await NestFactory.create(
    {
      module: TestModule,
      imports: [
        DatabaseModule.register({ url: databaseUrl, directUrl: databaseUrl, signal: new AbortController().signal }),
        ConfigModule.register(config),
        LoggingModule.register(log),
        LifecycleModule.register(new BootState('0.0.0-test')),
        EventsModule.register(newId()),
        AuthModule,
        RateLimitModule,
      ],
    },
    { abortOnError: false, logger: false },
  );
  nest.get(Actors).useSessions(async (_sessionId, { userId }) => ({ userId, deviceId: DEVICE, refused: null }));
  world.serve(nest.get(Feeds));
  const io = new GatedIoAdapter(nest, config);
  nest.useWebSocketAdapter(io);
  await nest.init();
  io.attachTo(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const events = nest.get(EventsService);
  const token = async (userId: string, sessionId = newId()) =>
    (await nest.get(TokenService).issue(userId, sessionId)).token;
  return {
    url,
    bus: nest.get(Bus),
    rooms: nest.get(Rooms),
    events,
    connections: nest.get(Connections),
    tell: (id, change, { view } = { view: true }) =>
      events.announce(new FeedMoved('conversation', id, change.rev), view ? change : undefined),
    tellUser: (id, change) => events.announce(new FeedMoved('user', id, change.rev), change),
    token,
    connect: async (userId, sessionId) =>
      connect({ url, accessToken: await token(userId, sessionId), deviceId: DEVICE }),
    close: async () => {
      await nest.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The ranges a socket was told for a conversation; throws when they do not join. */
export function rangesOf(connection: Connection, conversationId: string): { rev: number; t: string; v: unknown }[] {
  const changes = connection.events
    .filter(({ event }) => event === 'change')
    .map(({ payload }) => payload as { c: string; rev: number; from: number; t: string; v: unknown })
    .filter(({ c }) => c === conversationId);
  changes.forEach(({ from, rev }, i) => {
    const before = changes[i - 1]?.rev ?? from;
    if (from !== before || rev <= from) throw new Error(`(${from}, ${rev}] does not join ${before}`);
  });
  return changes;
}
