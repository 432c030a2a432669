import { z } from 'zod';
import { newAccount } from '../../users/dto/account.view.js';

/** The first admin; a password is needed, since nobody else could help them in. */
export const setup = newAccount.required({ password: true }).extend({ setupToken: z.string().min(1).max(512) });
export type Setup = z.output<typeof setup>;

export const setupView = z.object({ required: z.boolean() });
