import { Actors, type Grants } from '../../../src/platform/auth/actors.js';
import { permissions, type Permission } from '../../../src/platform/auth/permissions.js';
import type { TestApp } from '../../support/app.js';
import { type Person, register } from '../../support/people.js';

export const PROBE = { authorization: 'Bearer probe-token' };

/** Somebody with these permissions, all by default; everybody else has none. */
export async function operator(app: TestApp, granted: readonly Permission[] = permissions): Promise<Person> {
  const person = await register(app.url, 'Operator');
  app.app.nest
    .get(Actors)
    .useGrants(async (userIds) =>
      userIds.includes(person.id)
        ? new Map([[person.id, { roles: ['admin'], permissions: granted }]])
        : new Map<string, Grants>(),
    );
  return person;
}
