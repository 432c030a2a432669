import { z } from 'zod';
import { refuse } from '../../../platform/http/text.js';
import { permissionList } from './role.dto.js';

/** The whole of a user's exceptions; both empty ends them. */
export const setOverrides = z
  .strictObject({ granted: permissionList.default([]), denied: permissionList.default([]) })
  .superRefine(({ granted, denied }, context) => {
    const both = granted.find((permission) => denied.includes(permission));
    if (both !== undefined) refuse(context, 'granted_and_denied', `${both} is both granted and denied`);
  });
export type SetOverrides = z.output<typeof setOverrides>;
