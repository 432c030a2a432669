import { z } from 'zod';
import type { RoleRow } from '../roles.repository.js';

export const roleView = z.object({
  name: z.string(),
  description: z.string(),
  builtIn: z.boolean(),
  permissions: z.array(z.string()),
  /** Holders by assignment; `user` is everybody's and has none. */
  users: z.number().int(),
});
export type RoleView = z.output<typeof roleView>;
export const roleListView = z.object({ items: z.array(roleView) });

export const toRoleView = ({ name, description, builtIn, permissions, users }: RoleRow): RoleView => ({
  name,
  description,
  builtIn,
  permissions,
  users,
});

const route = z.object({ method: z.string(), path: z.string(), policy: z.string() });
export const permissionMapView = z.object({
  items: z.array(z.object({ name: z.string(), description: z.string(), routes: z.array(route) })),
  /** Every route of this server with what it demands: a permission, `user`, `public`, or a check of its own. */
  routes: z.array(route),
});
export type PermissionMapView = z.output<typeof permissionMapView>;
