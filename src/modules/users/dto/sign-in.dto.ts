import { z } from 'zod';
import { device, displayName, givenPassword, handle, identifier, newPassword, opaqueToken } from './fields.dto.js';

export const register = z.strictObject({
  identifier,
  password: newPassword,
  displayName,
  handle: handle.optional(),
  device: device.optional(),
});
export type Register = z.output<typeof register>;

export const login = z.strictObject({ identifier, password: givenPassword, device: device.optional() });
export type Login = z.output<typeof login>;

export const refresh = z.strictObject({ refreshToken: opaqueToken });
export type Refresh = z.output<typeof refresh>;
