import { z } from 'zod';
import { line } from '../../../platform/http/text.js';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const suspension = z.strictObject({
  reason: line(1, 500),
  /** Absent: until somebody ends it. */
  until: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
});
export type Suspension = z.output<typeof suspension>;

/** The body may be left out. */
export const unsuspension = z.strictObject({ reason: line(1, 500).optional() }).optional();
export type Unsuspension = z.output<typeof unsuspension>;

export const deletion = z.strictObject({ erase: flag.default(false), reason: line(1, 500).optional() });
export type Deletion = z.output<typeof deletion>;

/** Why a moderator did something, for the audit log. */
export const reasonQuery = z.strictObject({ reason: line(1, 500).optional() });
export type ReasonQuery = z.output<typeof reasonQuery>;
/** The same as a body, for who would rather not have it in an address. */
export const reasonBody = reasonQuery.optional();
export type ReasonBody = z.output<typeof reasonBody>;
