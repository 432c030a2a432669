import { setTimeout as delay } from 'node:timers/promises';
import type { Device } from './client/device.js';
import { type BusKind, Cluster } from './cluster/cluster.js';
import { Nemesis } from './cluster/nemesis.js';
import { readDevice, readTables } from './final-read.js';
import { now, Recorder } from './history.js';
import { check, type Limits } from './invariants/check.js';
import type { Violation } from './invariants/evidence.js';
import { Random } from './random.js';
import { World } from './workload.js';

export interface RunOptions {
  seed: string;
  /** How long things go wrong. */
  seconds: number;
  replicas: number;
  bus: BusKind;
  /** Compiled entry of the server. */
  entry: string;
  /** Where the history goes. */
  path: string;
  operationsPerSecond: number;
  /** Names of faults; all by default. */
  faults?: readonly string[];
  pauseMs?: { min: number; max: number };
  limits: Limits;
  environment?: Record<string, string>;
  note?: (text: string) => void;
}

export interface Verdict {
  violations: Violation[];
  seed: string;
  path: string;
  /** Attempts, acknowledged sends, live changes, pages read, faults. */
  counts: Record<'attempts' | 'acked' | 'live' | 'pages' | 'faults', number>;
  /** How long repair took after the last fault: the slowest device, in ms. */
  repairMs: number | null;
}

const SETTLE_MS = 90_000;
const CONVERGE_MS = 30_000;

/** Clients against a cluster that fails; then everything is read and decided. */
export async function run(options: RunOptions): Promise<Verdict> {
  const { seed, note = () => undefined } = options;
  const recorder = new Recorder(options.path);
  const cluster = await Cluster.start(options);
  try {
    const world = await World.create(
      cluster.replicas.map(({ url }) => url),
      recorder,
      new Random(`${seed}/world`),
    );
    await settled(world.devices, 'signing in', ({ live }) => live);
    note('running');
    await work(cluster, world, recorder, options);
    note('settling');
    cluster.assertAlive();
    await settled(world.devices, 'coming back', ({ live, outbox }) => live && outbox.waiting === 0);
    await measureRepair(cluster, world, recorder);
    for (const device of world.devices) await readDevice(device, recorder, cluster.replicas[0]?.url ?? '');
    await readTables(cluster, recorder);
    cluster.assertAlive();
    await Promise.all(world.devices.map((device) => device.stop()));
  } catch (error) {
    throw new Error(`seed ${seed}, history ${options.path}: ${(error as Error).message}`, { cause: error });
  } finally {
    await cluster.stop();
    await recorder.close();
  }
  note('deciding');
  return decide(recorder, options);
}

async function work(cluster: Cluster, world: World, recorder: Recorder, options: RunOptions): Promise<void> {
  const { seconds, operationsPerSecond, pauseMs = { min: 500, max: 3000 } } = options;
  const stop = AbortSignal.timeout(seconds * 1000);
  const operations = setInterval(() => world.act(), 1000 / operationsPerSecond);
  try {
    await new Nemesis(cluster, recorder, options.seed, options.faults).run(stop, pauseMs);
  } finally {
    clearInterval(operations);
  }
}

async function settled(devices: readonly Device[], what: string, ready: (device: Device) => boolean): Promise<void> {
  for (const until = now() + SETTLE_MS; !devices.every(ready); await delay(20)) {
    if (now() > until)
      throw new Error(`${what}: ${devices.filter((device) => !ready(device)).length} devices never did`);
  }
}

/** One message into every conversation; then every device has to reach every head without being asked to. */
async function measureRepair(cluster: Cluster, world: World, recorder: Recorder): Promise<void> {
  for (const c of world.conversations) {
    world.devices.find(({ copies }) => copies.has(c))?.outbox.add(c, world.body(), false);
  }
  await Promise.all(world.devices.map(({ outbox }) => outbox.empty()));
  const began = now();
  const rows = await cluster.query<{ c: string; rev: string; members: string[] }>(`
    SELECT conversation_id AS c, h.rev, array_agg(m.user_id::text) AS members
    FROM conversation_head h JOIN memberships m USING (conversation_id) WHERE m.state = 'active' GROUP BY 1, 2`);
  const there = ({ copies, user }: Device): boolean =>
    rows.every(({ c, rev, members }) => !members.includes(user) || copies.get(c)?.position === Number(rev));
  await Promise.all(
    world.devices.map(async (device) => {
      while (!there(device) && now() < began + CONVERGE_MS) await delay(10);
      const ms = there(device) ? now() - began : null;
      recorder.add({ k: 'converged', t: now(), device: device.name, user: device.user, ms });
    }),
  );
}

function decide({ entries, path }: Recorder, { seed, limits }: RunOptions): Verdict {
  const count = (...kinds: string[]): number => entries.filter(({ k }) => kinds.includes(k)).length;
  const repairs = entries.flatMap((entry) => (entry.k === 'converged' ? [entry.ms] : []));
  return {
    violations: check(entries, limits),
    seed,
    path,
    counts: {
      attempts: count('invoke'),
      acked: count('ok'),
      live: count('live'),
      pages: count('page'),
      faults: count('fault'),
    },
    repairMs: repairs.includes(null) ? null : Math.max(0, ...repairs.map(Number)),
  };
}

/** The verdict as a person reads it. */
export function describe({ violations, seed, path, counts, repairMs }: Verdict): string {
  const byInvariant = Map.groupBy(violations, ({ invariant }) => invariant);
  const lines = [...byInvariant].flatMap(([invariant, all]) => [
    `${invariant} is violated ${all.length} times:`,
    ...all.slice(0, 5).map(({ message }) => `  ${message}`),
  ]);
  const numbers = Object.entries(counts).map(([name, value]) => `${value} ${name}`);
  return [
    ...lines,
    `${violations.length === 0 ? 'I1 to I13 hold' : 'REFUSED'}: ${numbers.join(', ')}, repaired in ${repairMs === null ? 'no time' : `${Math.round(repairMs)} ms`}`,
    `seed ${seed}`,
    `history ${path}`,
  ].join('\n');
}
