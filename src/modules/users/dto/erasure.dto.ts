import { z } from 'zod';
import { givenPassword } from './fields.dto.js';

/** The body may be left out. */
export const deleteAccount = z
  .strictObject({ password: givenPassword.optional(), erase: z.boolean().default(false) })
  .optional()
  .transform((input) => input ?? { erase: false });
export type DeleteAccount = { password?: string | undefined; erase: boolean };

export const deletionView = z.object({ eraseAfter: z.iso.datetime() });

export const exportView = z.object({
  id: z.uuid(),
  state: z.enum(['pending', 'ready', 'failed']),
  /** Good until `expiresAt`, without a token. */
  url: z.string().nullable(),
  expiresAt: z.iso.datetime().nullable(),
});
export type ExportView = z.output<typeof exportView>;

export const archiveQuery = z.strictObject({ signature: z.string().max(128) });
export type ArchiveQuery = z.output<typeof archiveQuery>;
