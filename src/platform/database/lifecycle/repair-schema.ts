import { LifecycleError } from './errors.js';
import { heal } from './heal.js';
import { looking, writing } from './operate.js';
import { planRepair, repairScript, type RepairPlan, type RepairReport } from './repair.js';
import type { Manifest } from './manifest.js';
import type { LifecycleOptions } from './types.js';

function manifestOf(options: LifecycleOptions): Manifest {
  if (options.manifest) return options.manifest;
  throw new LifecycleError('config', 'there is no schema manifest to repair from');
}

/** `parley db repair`: adds what is missing, under the lock. Throws exit 16 for what data stands against. */
export async function repairSchema(options: LifecycleOptions): Promise<RepairReport> {
  return writing(options, ({ session, lock }) => heal(session, manifestOf(options), lock));
}

/** `parley db repair --dry-run` and `--sql`: the plan, and the same as one idempotent script. */
export async function previewRepair(options: LifecycleOptions): Promise<RepairPlan & { script: string }> {
  return looking(options, async ({ session }) => {
    const plan = await session.use((client) => planRepair(client, manifestOf(options), session.run.schema));
    return { ...plan, script: repairScript(plan, session.run.schema) };
  });
}
