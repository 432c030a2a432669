import { type Account, login, register } from './client/account.js';
import { Device } from './client/device.js';
import type { Recorder } from './history.js';
import type { Random } from './random.js';

const PEOPLE = 6;
const DEVICES_EACH = 2;
const REST_SHARE = 0.2;

interface Action {
  weight: number;
  act(world: World, device: Device): Promise<unknown> | void;
}

/** People, their devices, and the conversations they are in. */
export class World {
  readonly devices: Device[] = [];
  conversations: string[] = [];
  /** The one people are removed from and added to, and its owner. */
  churning = '';
  private owner: Device | undefined;
  private bodies = 0;

  private constructor(
    readonly random: Random,
    private readonly people: readonly Account[],
  ) {}

  /** Everybody signed in and connected, before anything goes wrong. */
  static async create(urls: readonly string[], recorder: Recorder, random: Random): Promise<World> {
    const [url = ''] = urls;
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => register(url, `Person ${i}`)));
    const world = new World(random, people);
    for (const account of people) {
      for (let i = 0; i < DEVICES_EACH; i++) {
        const session = await login(url, account, `Device ${i}`);
        const next = (): string => random.pick(urls);
        world.devices.push(new Device(session, recorder, next, () => random.chance(REST_SHARE)));
      }
    }
    await world.createConversations();
    for (const device of world.devices) device.start();
    return world;
  }

  body(): string {
    return `message ${(this.bodies += 1)}`;
  }

  /** Sends, mostly, and everything else that makes a rev. Whatever it starts is recorded and runs by itself. */
  act(): void {
    const device = this.random.pick(this.devices);
    let choice = this.random.next() * actions.reduce((sum, { weight }) => sum + weight, 0);
    const action = actions.find(({ weight }) => (choice -= weight) < 0);
    void action?.act(this, device);
  }

  /** Removes somebody, or brings somebody back. */
  churn(): Promise<unknown> {
    const { owner, churning: c, random } = this;
    const others = this.people.filter(({ user }) => user !== owner?.user);
    const target = random.pick(others).user;
    if (!owner) return Promise.resolve();
    return random.chance(0.4)
      ? owner.attempt('remove', { c, target }, () => owner.rest('DELETE', `/conversations/${c}/members/${target}`))
      : owner.attempt('add', { c, target }, () =>
          owner.rest('POST', `/conversations/${c}/members`, { userIds: [target] }),
        );
  }

  private async createConversations(): Promise<void> {
    const [owner] = this.devices;
    if (!owner) throw new Error('nobody is there');
    this.owner = owner;
    const others = this.people.map(({ user }) => user).filter((user) => user !== owner.user);
    const create = async (fields: object): Promise<string> => {
      const answer = await owner.rest<{ id: string }>('POST', '/conversations', fields);
      if (!answer.ok) throw new Error(JSON.stringify(answer.error));
      return answer.data.id;
    };
    this.churning = await create({
      type: 'group',
      title: 'Coming and going',
      memberIds: others.slice(0, 3),
      settings: { historyForNewMembers: 'none' },
    });
    this.conversations = [
      await create({ type: 'direct', memberIds: [others[0]] }),
      await create({ type: 'group', title: 'Everybody', memberIds: others }),
      await create({ type: 'group', title: 'Busy', memberIds: others }),
      this.churning,
    ];
  }
}

const somewhere = (world: World, device: Device): string | undefined => {
  const known = world.conversations.filter((c) => device.copies.has(c));
  return known.length > 0 ? world.random.pick(known) : undefined;
};

function send(world: World, device: Device, silent: boolean): void {
  const c = somewhere(world, device);
  if (c !== undefined && device.outbox.waiting < 20) device.outbox.add(c, world.body(), silent);
}

const actions: Action[] = [
  { weight: 60, act: (world, device) => send(world, device, false) },
  { weight: 5, act: (world, device) => send(world, device, true) },
  {
    weight: 15,
    act(world, device) {
      const c = somewhere(world, device);
      const seq = c === undefined ? 0 : (device.copies.get(c)?.lastSeq ?? 0);
      if (c === undefined || seq === 0) return;
      const read = Math.ceil(world.random.between(seq / 2, seq));
      return device.attempt('receipt', { c, seq: read }, () => device.command('receipt', { c, delivered: seq, read }));
    },
  },
  {
    weight: 7,
    act(world, device) {
      const message = device.sent.at(-Math.ceil(world.random.between(0, 5)));
      const body = `${world.body()}, edited`;
      return (
        message &&
        device.attempt('edit', { ...message, body }, () => device.command('message.edit', { ...message, body }))
      );
    },
  },
  {
    weight: 5,
    act(world, device) {
      const message = device.sent.at(-Math.ceil(world.random.between(0, 10)));
      return message && device.attempt('delete', message, () => device.command('message.delete', message));
    },
  },
  {
    weight: 6,
    act(world, device) {
      const c = somewhere(world, device);
      const last = c === undefined ? 0 : (device.copies.get(c)?.lastSeq ?? 0);
      if (c === undefined || last === 0) return;
      const message = { c, seq: Math.ceil(world.random.between(Math.max(0, last - 5), last)) };
      const on = world.random.chance(0.7);
      return device.attempt('react', message, () => device.command('reaction.set', { ...message, emoji: '👍', on }));
    },
  },
  { weight: 2, act: (world) => world.churn() },
];
