import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line, uuid } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';

const filter = {
  actor: uuid.optional(),
  action: line(1, 64).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};
export const auditQuery = pageQuery.extend(filter);
export type AuditQuery = z.output<typeof auditQuery>;

/** The `entries` and `hash` of a line `audit.recorded` kept elsewhere: the log must still contain that entry. */
export const auditAnchor = z
  .strictObject({
    entries: wholeNumber(1).optional(),
    hash: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'A hash of the audit log')
      .optional(),
  })
  .refine(({ entries, hash }) => (entries === undefined) === (hash === undefined), {
    message: 'Either both or none',
    params: { code: 'entries_and_hash' },
  });
export type AuditAnchor = z.output<typeof auditAnchor>;

export const auditExport = z.strictObject(filter);
export type AuditExport = z.output<typeof auditExport>;
