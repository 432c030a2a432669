import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Connection, connect, type Person, registerMany } from '../../support/people.js';
import { addMembers, conversations, create, removeMember, room, setRole, upTo } from './support.js';

interface Change {
  c: string;
  rev: number;
  from: number;
  t: string;
  v: { userId?: string; state?: string; title?: string; deletedAt?: string | null; system?: { type: string } } | null;
}
interface UserChange {
  rev: number;
  from: number;
  t: string;
  v: { conversationId: string; state: string; deleted?: true; pinnedAt?: string | null };
}

let app: TestApp;
let second: TestApp;
let owner: Person;
let near: Person;
let far: Person;
let guest: Person;
beforeAll(async () => {
  app = await createTestApp();
  second = await createTestApp({}, { databaseUrl: app.databaseUrl });
  [owner, near, far, guest] = (await registerMany(app.url, 4)) as [Person, Person, Person, Person];
});
afterAll(async () => {
  await second.close();
  await app.close();
});

let there: Connection[];
const open = async (person: Person, url = app.url) => {
  const connection = await connect({ url, accessToken: person.accessToken, deviceId: person.deviceId });
  there.push(connection);
  return connection;
};
beforeEach(() => void (there = []));
afterEach(() => {
  for (const connection of there) connection.close();
});

const say = async (person: Person, id: string) => {
  const { status, body } = await person.post<{ message: { rev: number } }>(`${conversations}/${id}/messages`, {
    clientId: randomUUID(),
    body: 'x',
  });
  return status === 201 ? body.message.rev : undefined;
};
const changesOf = ({ events }: Connection, id: string) =>
  events
    .filter(({ event, payload }) => event === 'change' && (payload as Change).c === id)
    .map(({ payload }) => payload as Change);
/** Once a device knows that it is a member, everything that follows reaches it. */
const learns = (device: Connection, id: string) =>
  device.until<UserChange>(
    'user.change',
    ({ t, v }) => t === 'membership' && v.conversationId === id && v.state === 'active',
  );
/** Ranges `(from, rev]` that join without gap or overlap. */
const expectChained = (changes: readonly { rev: number; from: number }[]) => {
  changes.slice(1).forEach(({ from }, i) => expect(from).toBe(changes[i]?.rev));
};

describe('what members see live', () => {
  it('everything that happens to a conversation, in one unbroken chain on every replica', async () => {
    const { id, head } = await room([owner, near, far]);
    const devices = [await open(near), await open(far, second.url)];
    await owner.patch(`${conversations}/${id}`, { title: 'New' }, { 'if-match': '*' });
    await setRole(owner, id, near.id, 'admin');
    await Promise.all([addMembers(near, id, [guest.id]), say(far, id), say(owner, id)]);
    await removeMember(owner, id, guest.id);
    const last = (await say(owner, id)) ?? 0;
    for (const device of devices) {
      await device.until<Change>('change', ({ c, rev }) => c === id && rev >= last);
      const changes = changesOf(device, id);
      expect(changes[0]?.from).toBe(head.rev);
      expectChained(changes);
      const told = changes.flatMap(({ v }) => v?.system?.type ?? []);
      expect(told).toEqual(expect.arrayContaining(['title_changed', 'role_changed', 'member_added', 'member_removed']));
      expect(changes.find(({ t }) => t === 'conversation')?.v?.title).toBe('New');
    }
  });

  it('a new member: from the joining on, on whichever replica', async () => {
    const { id } = await room([owner, near]);
    const [device, alone] = [await open(guest), await open(guest, second.url)];
    await say(owner, id);
    const { body } = await addMembers(owner, id, [guest.id]);
    const joined = body.added[0]?.rev ?? 0;
    for (const one of [device, alone]) await learns(one, id);
    const last = (await say(owner, id)) ?? 0;
    for (const one of [device, alone]) {
      await one.until<Change>('change', ({ c, rev }) => c === id && rev === last);
      const changes = changesOf(one, id);
      expectChained(changes);
      expect(changes.every(({ rev }) => rev >= joined)).toBe(true);
    }
  });

  it('both of a direct conversation learn of it from their own feed', async () => {
    const [device, other] = [await open(near), await open(guest, second.url)];
    const { body } = await create(near, { type: 'direct', memberIds: [guest.id] });
    for (const one of [device, other]) await learns(one, body.id);
    const rev = await say(near, body.id);
    for (const one of [device, other])
      await one.until<Change>('change', (change) => change.c === body.id && change.rev === rev);
  });
});

describe('what ends', () => {
  it.each(['removed', 'left'] as const)(
    'with the membership: who has %s gets that change and nothing later',
    async (state) => {
      for (const round of upTo(3)) {
        const { id } = await room([owner, near, far]);
        const gone = [await open(near), await open(near, second.url)];
        const stays = await open(far, second.url);
        const leave = state === 'left' ? () => removeMember(near, id, 'me') : () => removeMember(owner, id, near.id);
        await Promise.all([leave(), ...upTo(5).map(() => say(owner, id))]);
        const last = (await say(owner, id)) ?? 0;
        await stays.until<Change>('change', ({ c, rev }) => c === id && rev === last);
        for (const one of gone) {
          await one.until<UserChange>('user.change', ({ v }) => v?.conversationId === id && v.deleted === true);
          // A change of another conversation on the same socket: everything before it has come.
          const other = await room([owner, near]);
          await learns(one, other.id);
          const rev = await say(owner, other.id);
          await one.until<Change>('change', (change) => change.c === other.id && change.rev === rev);
          const changes = changesOf(one, id);
          expectChained(changes);
          const end = changes.findIndex(({ t, v }) => t === 'member' && v?.userId === near.id && v?.state === state);
          expect([round, end]).toEqual([round, changes.length - 1]);
        }
      }
    },
  );

  it('with the conversation: everybody gets its deletion and nothing later', async () => {
    const { id } = await room([owner, near, far]);
    const devices = [await open(near), await open(far, second.url)];
    await owner.delete(`${conversations}/${id}`);
    for (const one of devices) {
      await one.until<Change>('change', ({ c, t, v }) => c === id && t === 'conversation' && Boolean(v?.deletedAt));
      await one.until<UserChange>('user.change', ({ v }) => v?.conversationId === id && v.deleted === true);
      expect(changesOf(one, id)).toHaveLength(1);
    }
  });
});

describe('what only the own devices see', () => {
  it('flags and drafts, as one chain', async () => {
    const { id } = await room([owner, near]);
    const [own, other] = [await open(near, second.url), await open(owner)];
    await near.patch(`${conversations}/${id}/me`, { pinned: true });
    await near.put(`${conversations}/${id}/draft`, { body: 'x' });
    await near.delete(`${conversations}/${id}/draft`);
    await own.until<UserChange>('user.change', ({ t, v }) => t === 'draft' && v.deleted === true);
    const changes = own.events
      .filter(({ event }) => event === 'user.change')
      .map(({ payload }) => payload as UserChange);
    expectChained(changes);
    expect(changes.find(({ t }) => t === 'membership')?.v.pinnedAt).toEqual(expect.any(String));
    const rev = await say(owner, id);
    await other.until<Change>('change', (change) => change.c === id && change.rev === rev);
    expect(other.events.filter(({ event }) => event === 'user.change')).toEqual([]);
  });
});
