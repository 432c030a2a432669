import { z } from 'zod';
import { line, refuse } from '../../../platform/http/text.js';
import { pageQuery } from '../../../platform/http/cursor.js';
import type { AccountRow } from '../oversight.repository.js';
import { parseIdentifier } from '../users.rules.js';
import { displayName, handle, identifier, newPassword } from './fields.dto.js';

const time = z.iso.datetime();

/** An account as those see it who look after the installation: no secrets. */
export const accountView = z.object({
  id: z.uuid(),
  handle: z.string().nullable(),
  displayName: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  emailVerified: z.boolean(),
  phoneVerified: z.boolean(),
  hasPassword: z.boolean(),
  state: z.enum(['active', 'suspended', 'deleted']),
  suspendedUntil: time.nullable(),
  suspendReason: z.string().nullable(),
  lastLoginAt: time.nullable(),
  deletedAt: time.nullable(),
  eraseAfter: time.nullable(),
  createdAt: time,
  updatedAt: time,
  rev: z.number().int(),
});
export type AccountView = z.output<typeof accountView>;

export const toAccountView = (row: AccountRow): AccountView => ({
  id: row.id,
  handle: row.handle,
  displayName: row.displayName,
  email: row.email,
  phone: row.phone,
  emailVerified: row.emailVerifiedAt !== null,
  phoneVerified: row.phoneVerifiedAt !== null,
  hasPassword: row.hasPassword,
  state: row.state,
  suspendedUntil: row.suspendedUntil?.toISOString() ?? null,
  suspendReason: row.suspendReason,
  lastLoginAt: row.lastLoginAt?.toISOString() ?? null,
  deletedAt: row.deletedAt?.toISOString() ?? null,
  eraseAfter: row.eraseAfter?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  rev: row.rev,
});

/** An account made by somebody else; without a password its owner signs in by code. */
export const newAccount = z.strictObject({
  identifier,
  displayName,
  password: newPassword.optional(),
  handle: handle.optional(),
});
export type NewAccount = z.output<typeof newAccount>;

const address = (kind: 'email' | 'phone') =>
  z
    .string()
    .max(400)
    .transform((text, context) => {
      const parsed = parseIdentifier(text);
      if (parsed?.kind === kind) return parsed.value;
      refuse(context, `invalid_${kind}`, kind === 'email' ? 'An email address' : 'A phone number such as +4930123456');
      return z.NEVER;
    });

/** Absent members stay. A changed address counts as verified: whoever may change it vouches for it. */
export const accountChange = z.strictObject({
  displayName: displayName.optional(),
  handle: handle.nullable().optional(),
  email: address('email').nullable().optional(),
  phone: address('phone').nullable().optional(),
});
export type AccountChange = z.output<typeof accountChange>;

/** `query` is part of a name or handle, or the exact address. */
export const accountQuery = pageQuery.extend({
  query: line(1, 64).optional(),
  state: z.enum(['active', 'suspended', 'deleted']).optional(),
});
export type AccountQuery = z.output<typeof accountQuery>;
