// Parley's platform with one gateway on top: the same two commands as the reference.
import { createServer } from 'node:http';
import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { Actors } from '../../dist/platform/auth/actors.js';
import { Authenticated } from '../../dist/platform/auth/auth.decorator.js';
import { AuthModule } from '../../dist/platform/auth/auth.module.js';
import { TokenService } from '../../dist/platform/auth/token.service.js';
import { newId } from '../../dist/platform/clock/clock.js';
import { ConfigModule } from '../../dist/platform/config/config.module.js';
import { loadConfig } from '../../dist/platform/config/config.js';
import { DatabaseModule } from '../../dist/platform/database/database.module.js';
import { EventsModule } from '../../dist/platform/events/events.module.js';
import { BootState } from '../../dist/platform/lifecycle/boot-state.js';
import { LifecycleModule } from '../../dist/platform/lifecycle/lifecycle.module.js';
import { createLog } from '../../dist/platform/logging/create-log.js';
import { LoggingModule } from '../../dist/platform/logging/logging.module.js';
import { RateLimitModule } from '../../dist/platform/ratelimit/ratelimit.module.js';
import { Feeds } from '../../dist/platform/realtime/feeds.js';
import { GatedIoAdapter } from '../../dist/platform/realtime/gated-io.adapter.js';
import { Command, Gateway } from '../../dist/platform/realtime/gateway.decorator.js';
import { RealtimeModule } from '../../dist/platform/realtime/realtime.module.js';
import { RoomSequencer } from '../../dist/platform/realtime/room-sequencer.js';

const BENCH = '01900000-0000-7000-8000-000000000000';
let rev = 0;

class BenchGateway {
  constructor(rooms) {
    this.rooms = rooms;
  }
  empty() {
    return {};
  }
  tell(_client, { text }) {
    rev += 1;
    this.rooms.apply(BENCH, [{ rev, t: 'message', v: { seq: rev, text }, seq: rev }]);
    return {};
  }
}
const method = (name) => Object.getOwnPropertyDescriptor(BenchGateway.prototype, name);
Gateway()(BenchGateway);
Authenticated()(BenchGateway);
Inject(RoomSequencer)(BenchGateway, undefined, 0);
Command('bench.empty', z.strictObject({}))(BenchGateway.prototype, 'empty', method('empty'));
Command('bench.tell', z.strictObject({ text: z.string() }))(BenchGateway.prototype, 'tell', method('tell'));
class BenchModule {}
Module({ imports: [RealtimeModule], providers: [BenchGateway] })(BenchModule);

const config = await loadConfig({
  DATABASE_URL: process.env.DATABASE_URL,
  APP_SECRET: 'bench-secret-bench-secret-bench-secret',
  LOG_LEVEL: 'warn',
  RATE_SCALE: '100000',
});
const log = await createLog({ level: 'warn', pretty: false, base: {} });
const server = createServer();
const database = { url: config.DATABASE_URL, directUrl: config.DATABASE_URL, signal: new AbortController().signal };
const platform = [
  DatabaseModule.register(database),
  ConfigModule.register(config),
  LoggingModule.register(log),
  LifecycleModule.register(new BootState('bench')),
  EventsModule.register(newId()),
  AuthModule,
  RateLimitModule,
];
const nest = await NestFactory.create(
  { module: BenchModule, imports: platform },
  { abortOnError: false, logger: false },
);
nest.get(Actors).useSessions(async (_id, { userId }) => ({ userId, deviceId: 'bench', refused: null }));
Object.assign(nest.get(Feeds), {
  rooms: async (userIds) => userIds.map((userId) => ({ userId, conversationId: BENCH, rev, visibleFromSeq: 1 })),
  conversationHeads: async () => new Map([[BENCH, rev]]),
});
const io = new GatedIoAdapter(nest, config);
nest.useWebSocketAdapter(io);
await nest.init();
io.attachTo(server);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
const answer = async ({ ask, count, collect }) => {
  if (ask === 'tokens') {
    const tokens = [];
    for (let i = 0; i < count; i++) tokens.push((await nest.get(TokenService).issue(newId(), newId())).token);
    process.send({ tokens });
  }
  if (ask === 'usage') {
    if (collect) globalThis.gc();
    process.send({ usage: { cpu: process.cpuUsage(), memory: process.memoryUsage() } });
  }
};
process.on('message', (message) => void answer(message));
