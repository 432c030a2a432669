import { z } from 'zod';

export const alertView = z.object({
  id: z.uuid(),
  metric: z.string(),
  level: z.enum(['warning', 'critical']),
  /** null: the installation as a whole */
  replicaId: z.uuid().nullable(),
  value: z.number(),
  threshold: z.number(),
  openedAt: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
});
export type AlertView = z.output<typeof alertView>;

/** Keys and addresses as keyed hashes: equal ones can be recognised, none can be read. */
export const violationView = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  rule: z.string(),
  route: z.string(),
  keyHash: z.string(),
  userId: z.uuid().nullable(),
  ipHash: z.string(),
  count: z.int(),
});
export type ViolationView = z.output<typeof violationView>;
