import type { ClientBase } from 'pg';

import { LifecycleError } from './errors.js';
import type { Difference } from './manifest-compare.js';
import { loadBuild } from './build.js';
import { isIdle, reconcile, type Build } from './reconcile.js';
import { readState } from './state.js';
import { defaultSettings, type LifecycleOptions } from './types.js';

export interface SchemaCheck {
  /** The schema still carries this build. */
  compatible: boolean;
  /** Newer than this build, and compatible. */
  ahead: boolean;
  fingerprint: string | null;
  minEpoch: number;
  /** Why not, in words; null when compatible. */
  reason: string | null;
  differences: readonly Difference[];
}

/** Looks at the schema again while the application serves. */
export type SchemaGuard = (client: ClientBase) => Promise<SchemaCheck>;

/**
 * A check for run time, on any pool connection: one read-only transaction, no lock, no DDL. Pending files or seeds do not
 * count (this build served with less a moment ago); a missing object, an edited history or a raised epoch does.
 */
export function createSchemaGuard(options: LifecycleOptions): SchemaGuard {
  // Read now: the files are this build's only until another one is put in its place.
  const build = loadBuild(options);
  build.catch(() => undefined);
  return async (client) => checkSchema(client, await build, options);
}

export async function checkSchema(client: ClientBase, build: Build, options: LifecycleOptions): Promise<SchemaCheck> {
  const schema = options.schema ?? 'public';
  const settings = { ...defaultSettings, ...options.settings, repair: 'off' as const };
  const state = await readState(client, schema, { structure: options.manifest !== undefined });
  const facts = { fingerprint: state.fingerprint, minEpoch: state.minEpoch };
  try {
    const plan = reconcile(build, state, settings);
    const serving = isIdle({ ...plan, seeds: [], raiseEpoch: undefined });
    const names = plan.pending.map((file) => file.name).join(', ');
    return {
      ...facts,
      compatible: serving,
      ahead: plan.ahead.length > 0,
      reason: serving ? null : `the history lacks ${names || 'what this build applied'}`,
      differences: [],
    };
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    const differences = (error.details.differences ?? []) as readonly Difference[];
    return { ...facts, compatible: false, ahead: false, reason: error.message, differences };
  }
}
