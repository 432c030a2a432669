import { z } from 'zod';
import { device, givenPassword, identifier, newPassword } from './fields.dto.js';

const code = z.string().regex(/^\d{6}$/, 'Six digits');

export const requestOtp = z.strictObject({ identifier, purpose: z.enum(['login', 'verify', 'reset_password']) });
export type RequestOtp = z.output<typeof requestOtp>;

export const verifyOtp = z.strictObject({
  identifier,
  code,
  purpose: z.enum(['login', 'verify']),
  device: device.optional(),
});
export type VerifyOtp = z.output<typeof verifyOtp>;

export const resetPassword = z.strictObject({ identifier, code, newPassword });
export type ResetPassword = z.output<typeof resetPassword>;

export const changePassword = z.strictObject({ currentPassword: givenPassword.optional(), newPassword });
export type ChangePassword = z.output<typeof changePassword>;

export const inboxQuery = z.strictObject({ identifier });
export type InboxQuery = z.output<typeof inboxQuery>;
