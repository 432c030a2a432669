import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { newId } from '../../../src/platform/clock/clock.js';
import { RedisBus } from '../../../src/platform/events/redis-bus.driver.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import type { Log } from '../../../src/platform/logging/log.js';
import { conformance, Ear, eventOf, eventually } from './bus-conformance.js';

let log: Log;
let port: number;
let server: ChildProcess;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  return free;
}

async function startServer(): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept')) break;
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const url = () => `redis://127.0.0.1:${port}`;
const make = async () => {
  const bus = new RedisBus(url(), newId(), log);
  await bus.start();
  await eventually(() => bus.connected);
  return bus;
};

beforeAll(async () => {
  log = await createLog({ level: 'silent', pretty: false, base: {} });
  port = await freePort();
  server = await startServer();
});
afterAll(() => kill(server));

describe('the Redis bus', () => {
  conformance(make);

  describe('carries again', () => {
    let a: RedisBus;
    let b: RedisBus;
    let ear: Ear;
    beforeEach(async () => {
      [a, b] = await Promise.all([make(), make()]);
      ear = new Ear(b);
    });
    afterEach(async () => {
      await eventually(() => a.connected && b.connected);
      const event = eventOf();
      a.send(event);
      await ear.until(() => ear.events.some(({ id }) => id === event.id));
      await Promise.all([a.stop(), b.stop()]);
    });

    it('after the server was killed and started anew', async () => {
      await kill(server);
      await eventually(() => !a.connected && !b.connected);
      a.send(eventOf());
      a.advance({ feed: 'user', id: newId(), rev: 1 });
      server = await startServer();
    });

    it('after everything was flushed and every client was cut', async () => {
      const admin = new Redis(url());
      await admin.flushall();
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually(() => !a.connected || !b.connected);
      admin.disconnect();
    });

    it('after the server was frozen, which is noticed though every connection stays', async () => {
      server.kill('SIGSTOP');
      try {
        await eventually(() => !a.connected && !b.connected);
      } finally {
        server.kill('SIGCONT');
      }
    });
  });

  it('starts without a server and connects when it comes', async () => {
    await kill(server);
    const bus = new RedisBus(url(), newId(), log);
    await bus.start();
    expect(bus.connected).toBe(false);
    server = await startServer();
    await eventually(() => bus.connected);
    await bus.stop();
  });
});
