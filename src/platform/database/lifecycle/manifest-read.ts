import type { ClientBase } from 'pg';
import type { SchemaObject } from './manifest.js';

/**
 * Reads every object of `schema` that a manifest speaks of, sorted, in one statement and one round trip. Works inside a
 * transaction or outside; the session's settings are as before when it returns.
 * @param appRole whose rights on tables are checked; default: the connected role.
 */
export async function readLiveObjects(client: ClientBase, schema: string, appRole?: string): Promise<SchemaObject[]> {
  throw new Error(`not yet: ${String(client)} ${schema} ${String(appRole)}`);
}
