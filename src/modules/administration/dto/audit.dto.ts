import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line, uuid } from '../../../platform/http/text.js';

const filter = {
  actor: uuid.optional(),
  action: line(1, 64).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};
export const auditQuery = pageQuery.extend(filter);
export type AuditQuery = z.output<typeof auditQuery>;

export const auditExport = z.strictObject(filter);
export type AuditExport = z.output<typeof auditExport>;
