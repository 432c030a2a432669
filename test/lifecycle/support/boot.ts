import { LifecycleError } from '../../../src/platform/database/lifecycle/errors.js';
import { runLifecycle } from '../../../src/platform/database/lifecycle/run-lifecycle.js';
import type {
  LifecycleOptions,
  LifecycleResult,
  PhaseDetail,
  ReportedEvent,
  Seed,
} from '../../../src/platform/database/lifecycle/types.js';
import { spoken } from './replicas.js';
import type { Overrides, Scene } from './world.js';

export interface Outcome {
  result: LifecycleResult | undefined;
  error: LifecycleError | undefined;
  events: ReportedEvent[];
  phases: { name: string; detail: PhaseDetail }[];
}

export type BootOverrides = Overrides &
  Pick<LifecycleOptions, 'signal'> & { seeds?: Seed[]; onEvent?: (event: ReportedEvent) => void };

/** Options of a boot inside the test process: for cases in which no process has to die. */
export function bootOptions(scene: Scene, migrationsDir: string, overrides: BootOverrides = {}): LifecycleOptions {
  const { signal, seeds, ...rest } = overrides;
  const { fault: _fault, seedNames: _names, ...spec } = scene.spec(migrationsDir, rest);
  return { ...spec, ...(seeds ? { seeds } : {}), ...(signal ? { signal } : {}) };
}

/** Boots once and tells how it went; an unexpected kind of error is thrown. */
export async function boot(scene: Scene, migrationsDir: string, overrides: BootOverrides = {}): Promise<Outcome> {
  const outcome: Outcome = { result: undefined, error: undefined, events: [], phases: [] };
  try {
    outcome.result = await runLifecycle({
      ...bootOptions(scene, migrationsDir, overrides),
      report: (event) => {
        spoken.push(JSON.stringify(event));
        outcome.events.push(event);
        overrides.onEvent?.(event);
      },
      onPhase: (name, detail) => {
        spoken.push(JSON.stringify(detail));
        outcome.phases.push({ name, detail });
      },
    });
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    if (error.kind === 'unexpected') throw error;
    spoken.push(error.message, error.hint ?? '', JSON.stringify(error.details));
    outcome.error = error;
  }
  return outcome;
}

export const names = (outcome: Outcome): string[] => outcome.events.map((event) => event.event);

/** A seed that writes its ledger row. */
export const seed = (name: string, over: Partial<Seed> = {}): Seed => ({
  name,
  version: 1,
  kind: 'once',
  run: async (tx) => {
    await tx.query(`INSERT INTO ledger.entry (what) VALUES ('seed ${name} v${over.version ?? 1}')`);
  },
  ...over,
});
