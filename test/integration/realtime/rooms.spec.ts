import { newId } from '../../../src/platform/clock/clock.js';
import { useDatabase } from '../../support/database.js';
import { rangesOf, type Replica, startReplica } from './replica.js';
import { World } from './world.js';

const database = useDatabase();
const world = new World();
let one: Replica;
let two: Replica;
beforeAll(async () => {
  one = await startReplica(database.url, world);
  two = await startReplica(database.url, world);
});
afterAll(() => Promise.all([one.close(), two.close()]));

const people = (count: number) => Array.from({ length: count }, () => newId());
const at = (rev: number) => (change: { rev: number }) => change.rev === rev;

describe('a conversation with sockets on two replicas', () => {
  it('is told in order on both, from the view here and from the rows there', async () => {
    const [ann = '', bob = ''] = people(2);
    const c = world.conversation(ann, bob);
    const [a, b] = await Promise.all([one.connect(ann), two.connect(bob)]);
    for (let i = 0; i < 50; i++) one.tell(c, world.post(c, `message ${i}`));
    await Promise.all([a, b].map((client) => client.until('change', at(50))));
    for (const client of [a, b]) {
      expect(rangesOf(client, c).map(({ v }) => (v as { text: string }).text)).toEqual(
        Array.from({ length: 50 }, (_, i) => `message ${i}`),
      );
      client.close();
    }
  });

  it('survives announcements that are lost, doubled and out of order', async () => {
    const [ann = '', bob = ''] = people(2);
    const c = world.conversation(ann, bob);
    const [a, b] = await Promise.all([one.connect(ann), two.connect(bob)]);
    const changes = Array.from({ length: 12 }, () => world.post(c));
    for (const i of [3, 3, 0, 7, 5, 11, 2, 11]) if (changes[i]) one.tell(c, changes[i]);
    await Promise.all([a, b].map((client) => client.until('change', at(12))));
    for (const client of [a, b]) {
      expect(rangesOf(client, c).map(({ rev }) => rev)).toEqual(changes.map(({ rev }) => rev));
      client.close();
    }
  });

  it('joins ranges over rows that changed again', async () => {
    const [ann = '', bob = ''] = people(2);
    const c = world.conversation(ann, bob);
    const b = await two.connect(bob);
    world.post(c);
    world.post(c);
    world.edit(c, 1, 'edited');
    const last = world.edit(c, 1, 'again');
    one.tell(c, last);
    await b.until('change', at(4));
    expect(rangesOf(b, c).map(({ rev }) => rev)).toEqual([2, 4]);
    b.close();
  });

  it('gives `void` to members who may not see the message, and only to them', async () => {
    const [ann = '', late = ''] = people(2);
    const c = world.conversation(ann);
    world.post(c);
    world.add(c, late, 'none');
    const [a, b] = await Promise.all([two.connect(ann), two.connect(late)]);
    one.tell(c, world.edit(c, 1, 'old news'));
    one.tell(c, world.post(c, 'new'));
    await Promise.all([a, b].map((client) => client.until('change', at(4))));
    expect(rangesOf(a, c).map(({ t }) => t)).toEqual(['message', 'message']);
    expect(rangesOf(b, c).map(({ t, v }) => [t, v])).toEqual([
      ['void', null],
      ['message', { seq: 2, text: 'new' }],
    ]);
    for (const client of [a, b]) client.close();
  });
});

describe('membership', () => {
  it.each(['one', 'two'] as const)(
    'lets a new member in at the change that adds them, on replica %s',
    async (where) => {
      const [ann = '', bob = ''] = people(2);
      const c = world.conversation(ann);
      const b = await (where === 'one' ? one : two).connect(bob);
      one.tell(c, world.post(c, 'before'));
      one.tell(c, world.add(c, bob));
      one.tellUser(bob, { rev: world.userHead(bob), t: 'membership', v: { conversationId: c, state: 'active' } });
      await b.until('user.change');
      one.tell(c, world.post(c, 'after'));
      // Whoever is added on a replica that did not serve the room joins a moment later and learns the rest by `changes`.
      one.tell(c, world.post(c, 'later'));
      await b.until('change', ({ v }: { v: { text?: string } }) => v?.text === 'later');
      expect(rangesOf(b, c).every(({ v }) => (v as { text?: string }).text !== 'before')).toBe(true);
      b.close();
    },
  );

  it('tells a removed member the removal and nothing later', async () => {
    const [ann = '', bob = ''] = people(2);
    const c = world.conversation(ann, bob);
    const [a, b] = await Promise.all([two.connect(ann), two.connect(bob)]);
    one.tell(c, world.post(c));
    const removal = world.remove(c, bob);
    const secret = world.post(c, 'secret');
    // The later one first: the removal is read with it, and takes effect before it.
    one.tell(c, secret);
    one.tell(c, removal);
    await a.until('change', at(secret.rev));
    await b.until('change', at(removal.rev));
    one.tell(c, world.post(c, 'more'));
    await a.until('change', at(secret.rev + 1));
    expect(rangesOf(b, c).at(-1)?.rev).toBe(removal.rev);
    for (const client of [a, b]) client.close();
  });

  it('tells everybody a deletion and nothing later', async () => {
    const [ann = ''] = people(1);
    const c = world.conversation(ann);
    const a = await one.connect(ann);
    one.tell(c, world.delete(c));
    await a.until('change', at(1));
    expect(one.rooms.roomSize(c)).toBe(0);
    a.close();
  });

  it('keeps a rejoining member from what was said between', async () => {
    const [ann = '', bob = ''] = people(2);
    const c = world.conversation(ann, bob);
    const b = await two.connect(bob);
    world.remove(c, bob);
    world.post(c, 'between');
    world.add(c, bob, 'none');
    one.tell(c, world.post(c, 'after'));
    await b.until('change', at(4));
    expect(rangesOf(b, c).map(({ t }) => t)).toEqual(['void', 'member', 'message']);
    b.close();
  });
});

describe("a user's own feed", () => {
  it('reaches every device on every replica in order', async () => {
    const [ann = ''] = people(1);
    const [a, b] = await Promise.all([one.connect(ann), two.connect(ann)]);
    for (const bio of ['a', 'b', 'c']) one.tellUser(ann, world.profile(ann, bio));
    await Promise.all([a, b].map((client) => client.until('user.change', at(3))));
    const ranges = (client: typeof a) =>
      client.events
        .filter(({ event }) => event === 'user.change')
        .map(({ payload }) => payload as { from: number; rev: number });
    expect(ranges(a).map(({ from, rev }) => [from, rev])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(ranges(b).at(-1)?.rev).toBe(3);
    expect(ranges(b).every(({ from }, i) => from === (ranges(b)[i - 1]?.rev ?? 0))).toBe(true);
    for (const client of [a, b]) client.close();
  });
});
