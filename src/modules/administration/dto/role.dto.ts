import { z } from 'zod';
import { permissions } from '../../../platform/auth/permissions.js';
import { line } from '../../../platform/http/text.js';

export const roleName = z.string().regex(/^[a-z][a-z0-9_-]{1,31}$/, 'Lower-case letters, digits, - and _, 2 to 32');
export const permissionList = z
  .array(z.enum(permissions))
  .max(permissions.length)
  .transform((list) => [...new Set(list)]);

export const createRole = z.strictObject({
  name: roleName,
  description: line(0, 200).default(''),
  permissions: permissionList,
});
export type CreateRole = z.output<typeof createRole>;

export const updateRole = z.strictObject({
  description: line(0, 200).optional(),
  permissions: permissionList.optional(),
});
export type UpdateRole = z.output<typeof updateRole>;

export const assignRoles = z.strictObject({
  roles: z
    .array(roleName)
    .max(50)
    .transform((list) => [...new Set(list)]),
});
export type AssignRoles = z.output<typeof assignRoles>;
