import { z } from 'zod';

const names = z.array(z.string());

export const overridesView = z.object({
  /** Permissions beyond those of the roles. */
  granted: names,
  /** Permissions the user has not, whatever the roles say. */
  denied: names,
  roles: names,
  /** What the user may in the end. */
  permissions: names,
});
export type OverridesView = z.output<typeof overridesView>;
