import type { Actor } from '../../platform/auth/actor.js';
import { exceeds } from './administration.errors.js';

/** @throws forbidden, naming what the actor lacks */
export function requireAll(actor: Actor, permissions: readonly string[]): void {
  const lacking = permissions.find((permission) => !(actor.permissions as ReadonlySet<string>).has(permission));
  if (lacking !== undefined) throw exceeds(lacking);
}

export const difference = <Item>(these: readonly Item[], those: readonly Item[]): Item[] =>
  these.filter((item) => !those.includes(item));
