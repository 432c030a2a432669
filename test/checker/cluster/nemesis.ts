import { setTimeout as delay } from 'node:timers/promises';
import { now, type Recorder } from '../history.js';
import { Random } from '../random.js';
import type { Cluster } from './cluster.js';
import { type Fault, faults } from './faults.js';

/** Lets things go wrong, several at once, as the seed says. */
export class Nemesis {
  private readonly busy = new Map<Fault['on'], Promise<void>>();
  private readonly chosen: [string, Fault][];
  private readonly random: Random;

  constructor(
    private readonly cluster: Cluster,
    private readonly recorder: Recorder,
    seed: string,
    names: readonly string[] = Object.keys(faults),
  ) {
    this.random = new Random(`${seed}/nemesis`);
    this.chosen = names.map((name): [string, Fault] => {
      const fault = faults[name];
      if (!fault) throw new Error(`there is no fault "${name}"; there are: ${Object.keys(faults).join(', ')}`);
      return [name, fault];
    });
    this.chosen = this.chosen.filter(([, { possible }]) => possible?.(cluster) ?? true);
  }

  /** Until the signal; resolves when everything is right again. Rejects when something does not come back. */
  async run(signal: AbortSignal, pauseMs: { min: number; max: number }): Promise<void> {
    while (!signal.aborted) {
      await delay(this.random.between(pauseMs.min, pauseMs.max), undefined, { signal }).catch(() => undefined);
      const [name, fault] = this.random.pick(this.chosen);
      if (signal.aborted || this.busy.has(fault.on)) continue;
      this.recorder.add({ k: 'fault', t: now(), name });
      this.busy.set(fault.on, this.strike(name, fault));
    }
    await Promise.all(this.busy.values());
  }

  private async strike(name: string, fault: Fault): Promise<void> {
    // Its own numbers: what strikes overlap depends on time, what each does only on the seed.
    await fault.strike(this.cluster, new Random(`${name}/${this.random.next()}`));
    this.recorder.add({ k: 'fault', t: now(), name: `${name}: over` });
    this.busy.delete(fault.on);
  }
}
