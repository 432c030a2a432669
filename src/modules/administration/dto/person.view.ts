import { z } from 'zod';
import { accountView } from '../../users/dto/account.view.js';

/** An account with its roles. */
export const personView = accountView.extend({ roles: z.array(z.string()) });
export type PersonView = z.output<typeof personView>;

export const roleNamesView = z.object({ roles: z.array(z.string()) });

export const deletionView = z.object({ eraseAfter: z.iso.datetime() });
