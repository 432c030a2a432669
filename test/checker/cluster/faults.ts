import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';
import type { Cluster } from './cluster.js';
import { canShiftClock } from '../../support/wrong-clock.js';
import type { Replica } from './replica.js';

/** Something that goes wrong, and is right again when it resolves. */
export interface Fault {
  /** Of its kind only one at a time: two killed databases are one. */
  on: 'replica' | 'clients' | 'database' | 'bus';
  /** Whether this cluster can have it. */
  possible?: (cluster: Cluster) => boolean;
  strike(cluster: Cluster, random: Random): Promise<void>;
}

const pause = (random: Random, low: number, high: number): Promise<void> => delay(random.between(low, high));
/** Not one that another fault has taken away. */
const running = (cluster: Cluster, random: Random): Replica =>
  random.pick(cluster.replicas.filter((replica) => replica.running));

const restart =
  (signal: 'SIGKILL' | 'SIGTERM', clock?: string): Fault['strike'] =>
  async (cluster, random) => {
    const replica = running(cluster, random);
    await replica.end(signal);
    await pause(random, 0, 1000);
    await replica.start(clock);
  };

export const faults: Record<string, Fault> = {
  'replica killed': { on: 'replica', strike: restart('SIGKILL') },
  'replica restarted': { on: 'replica', strike: restart('SIGTERM') },
  'replica frozen': {
    on: 'replica',
    strike: async (cluster, random) => {
      const replica = running(cluster, random);
      replica.freeze();
      await pause(random, 500, 6000);
      replica.thaw();
    },
  },
  'clock shifted': {
    on: 'replica',
    possible: () => canShiftClock,
    strike: async (cluster, random) => {
      const replica = running(cluster, random);
      for (const clock of [random.pick(['+10m', '-10m']), undefined]) {
        await replica.end('SIGTERM');
        await replica.start(clock);
        await pause(random, 2000, 5000);
      }
    },
  },
  'clients cut off': {
    on: 'clients',
    strike: async (cluster, random) => {
      random.pick(cluster.replicas).clients.reset();
      await pause(random, 0, 500);
    },
  },
  'clients in a black hole': {
    on: 'clients',
    strike: async (cluster, random) => {
      const { clients } = random.pick(cluster.replicas);
      clients.set(random.pick(['blackhole', 'mute']));
      await pause(random, 500, 4000);
      clients.set('pass');
      clients.reset();
    },
  },
  'database connections cut': {
    on: 'database',
    strike: async (cluster, random) => {
      for (let i = 0; i < 3; i++) {
        random.pick(cluster.replicas).database.reset();
        await pause(random, 50, 500);
      }
    },
  },
  'database answers lost': {
    on: 'database',
    strike: async (cluster, random) => {
      const { database } = random.pick(cluster.replicas);
      database.set('mute');
      await pause(random, 50, 1500);
      database.set('pass');
      database.reset();
    },
  },
  'database slow': {
    on: 'database',
    strike: async (cluster, random) => {
      const { database } = random.pick(cluster.replicas);
      database.delay(random.between(20, 200));
      await pause(random, 500, 3000);
      database.delay(0);
    },
  },
  'database killed': {
    on: 'database',
    strike: async (cluster, random) => {
      await cluster.postgres.kill();
      await pause(random, 0, 2000);
      await cluster.postgres.start();
    },
  },
  'database frozen': {
    on: 'database',
    strike: async (cluster, random) => {
      const pid = await cluster.postgres.pid();
      const { children } = await childrenOf(pid);
      for (const one of [pid, ...children]) signal(one, 'SIGSTOP');
      await pause(random, 500, 4000);
      for (const one of [pid, ...children]) signal(one, 'SIGCONT');
    },
  },
  'bus disturbed': {
    on: 'bus',
    possible: ({ redis }) => !redis,
    strike: async (cluster, random) => {
      for (const { bus } of cluster.replicas) bus.disturb({ drop: 0.3, double: 0.2, delay: 0.3 });
      await pause(random, 2000, 6000);
      for (const { bus } of cluster.replicas) bus.heal();
    },
  },
  'bus stalled': {
    on: 'bus',
    strike: async (cluster, random) => {
      const { bus } = random.pick(cluster.replicas);
      bus.stall();
      await pause(random, 1000, 8000);
      bus.heal();
      bus.cut();
    },
  },
  'bus cut': {
    on: 'bus',
    strike: async (cluster, random) => {
      for (const { bus } of cluster.replicas) bus.cut();
      await pause(random, 0, 500);
    },
  },
  'Redis killed': {
    on: 'bus',
    possible: ({ redis }) => redis !== undefined,
    strike: async ({ redis }, random) => {
      await redis?.kill();
      await pause(random, 500, 5000);
      await redis?.start();
    },
  },
  'Redis frozen': {
    on: 'bus',
    possible: ({ redis }) => redis !== undefined,
    strike: async ({ redis }, random) => {
      redis?.freeze();
      await pause(random, 500, 5000);
      redis?.thaw();
    },
  },
  'Redis emptied': {
    on: 'bus',
    possible: ({ redis }) => redis !== undefined,
    strike: async ({ redis }) => redis?.empty(),
  },
};

async function childrenOf(pid: number): Promise<{ children: number[] }> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return { children: text.split(' ').filter(Boolean).map(Number) };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
