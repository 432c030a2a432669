import { z } from 'zod';

/** What came of comparing one invariant with the tables. */
export const invariantCheck = z.object({
  id: z.enum(['I3', 'I4', 'I10', 'I11', 'S6']),
  rule: z.string(),
  ok: z.boolean(),
  /** Conversations or memberships looked at, and those that contradict the rule. */
  checked: z.number().int(),
  found: z.number().int(),
  /** The first of them. */
  violations: z.array(z.string()),
});
export type InvariantCheck = z.output<typeof invariantCheck>;
