import type { Socket as TcpSocket } from 'node:net';
import { newId } from '../../../src/platform/clock/clock.js';
import { metrics } from '../../../src/platform/logging/metrics.js';
import { useDatabase } from '../../support/database.js';
import type { Connection } from '../../support/people.js';
import { eventually } from './bus-conformance.js';
import { rangesOf, type Replica, startReplica } from './replica.js';
import { World } from './world.js';

const database = useDatabase();
const world = new World();
let replica: Replica;
beforeAll(async () => {
  replica = await startReplica(database.url, world);
});
afterAll(() => replica.close());

/** The client's TCP connection, to stop reading from it. */
const tcp = ({ socket }: Connection): TcpSocket =>
  (socket.io.engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket;
const LARGE = 'x'.repeat(60_000);

/** Outcomes of slow sockets so far: `lagging` or `closed`. */
async function outcomes(outcome: string): Promise<number> {
  const { values } = await metrics.wsDropped.get();
  return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
}

/** Posts until the server notices that somebody does not read. */
async function postUntilLagging(c: string): Promise<void> {
  const before = await outcomes('lagging');
  while ((await outcomes('lagging')) === before) {
    replica.tell(c, world.post(c, LARGE));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a socket that does not read', () => {
  it('gets no more live events, and `heads` once it reads again; others miss nothing', async () => {
    const [ann, bob] = [newId(), newId()];
    const c = world.conversation(ann, bob);
    const [a, b] = await Promise.all([replica.connect(ann), replica.connect(bob)]);
    tcp(b).pause();
    await postUntilLagging(c);
    const dropped = world.post(c, 'dropped');
    replica.tell(c, dropped);
    await a.until('change', ({ rev }: { rev: number }) => rev === dropped.rev);
    tcp(b).resume();
    expect(await b.until('heads')).toEqual({ [c]: dropped.rev });
    expect(rangesOf(b, c).some(({ rev }) => rev === dropped.rev)).toBe(false);
    expect(rangesOf(a, c)).toHaveLength(dropped.rev);
    const next = world.post(c, 'next');
    replica.tell(c, next);
    await b.until('change', ({ rev, from }: { rev: number; from: number }) => rev === next.rev && from === dropped.rev);
    for (const client of [a, b]) client.close();
  });

  it('is closed when it does not read for 10 s', async () => {
    const bob = newId();
    const c = world.conversation(bob);
    const b = await replica.connect(bob);
    tcp(b).pause();
    await postUntilLagging(c);
    await eventually(() => replica.rooms.roomSize(c) === 0);
    b.close();
  });

  it('is closed at once above 4 MiB, which answers to its own commands can fill', async () => {
    const bob = newId();
    const c = world.conversation(bob);
    const b = await replica.connect(bob);
    const before = await outcomes('closed');
    tcp(b).pause();
    for (let i = 0; i < 60; i++) b.socket.emit('test.large', { bytes: 200_000 }, () => undefined);
    await eventually(() => replica.rooms.roomSize(c) === 0);
    expect(await outcomes('closed')).toBe(before + 1);
    b.close();
  });
});
