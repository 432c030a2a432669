import { newId } from '../../../src/platform/clock/clock.js';
import { query, useDatabase } from '../../support/database.js';
import { eventually } from './bus-conformance.js';
import { type Replica, rangesOf, startReplica } from './replica.js';
import { World } from './world.js';

const database = useDatabase();
const world = new World();
let replica: Replica;
beforeAll(async () => {
  replica = await startReplica(database.url, world, { BUS_DRIVER: 'memory', ANTI_ENTROPY_MS: '50' });
});
afterAll(() => replica.close());

describe('without any hint, within one anti-entropy period', () => {
  it('a conversation is told what the table says', async () => {
    const ann = newId();
    const c = world.conversation(ann);
    const a = await replica.connect(ann);
    for (let i = 0; i < 450; i++) world.post(c);
    await a.until('change', ({ rev }: { rev: number }) => rev === 450);
    expect(rangesOf(a, c)).toHaveLength(450);
    a.close();
  });

  it('a user is told, and let into the room they were added to', async () => {
    const [ann, bob] = [newId(), newId()];
    const c = world.conversation(ann);
    const b = await replica.connect(bob);
    world.add(c, bob);
    await b.until('user.change', ({ t }: { t: string }) => t === 'membership');
    world.post(c);
    await b.until('change', ({ rev }: { rev: number }) => rev === 2);
    b.close();
  });

  it('a removed user is out', async () => {
    const [ann, bob] = [newId(), newId()];
    const c = world.conversation(ann, bob);
    const [a, b] = await Promise.all([replica.connect(ann), replica.connect(bob)]);
    const removal = world.remove(c, bob);
    const secret = world.post(c, 'secret');
    await a.until('change', ({ rev }: { rev: number }) => rev === secret.rev);
    await b.until('user.change');
    expect(rangesOf(b, c).map(({ rev }) => rev)).toEqual([removal.rev]);
    for (const client of [a, b]) client.close();
  });

  it('the sockets of an ended session close', async () => {
    const sessionId = newId();
    const a = await replica.connect(newId(), sessionId);
    world.ended.set(sessionId, 'revoked');
    expect(await a.until('session.revoked')).toEqual({ reason: 'revoked' });
  });

  it('another epoch of the database makes every client come again', async () => {
    const a = await replica.connect(newId());
    const reason = new Promise((resolve) => a.socket.once('disconnect', resolve));
    const epoch = newId();
    await query('UPDATE server_epoch SET epoch = $1', [epoch], database.url);
    expect(await reason).toBe('transport close');
    const again = await replica.connect(newId());
    expect(again.ready['epoch']).toBe(epoch);
    again.close();
  });

  it('a read that fails is tried again', async () => {
    const ann = newId();
    const c = world.conversation(ann);
    const a = await replica.connect(ann);
    world.failures = 3;
    const posted = world.post(c);
    await a.until('change', ({ rev }: { rev: number }) => rev === posted.rev);
    expect(world.failures).toBe(0);
    a.close();
  });

  it('above 20,000 rooms only those that moved are read, and those whose read had failed', async () => {
    const ann = newId();
    const conversations = Array.from({ length: 20_001 }, () => world.conversation(ann));
    const [c = ''] = conversations;
    const a = await replica.connect(ann);
    await eventually(() => world.headReads.at(-1) === 'moved');
    world.failures = 1;
    const posted = world.post(c);
    await a.until('change', ({ rev }: { rev: number }) => rev === posted.rev);
    // The read of the rows, which failed; the repeated check of the one room, and its rows.
    const since = world.headReads.lastIndexOf('moved', world.headReads.lastIndexOf(1));
    expect(world.headReads.slice(since).filter((one) => one !== 'moved' && one > 1)).toEqual([]);
    a.close();
  });
});
