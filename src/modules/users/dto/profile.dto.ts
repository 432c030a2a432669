import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line, uuid } from '../../../platform/http/text.js';
import { bio, displayName, handle, locale, timeZone } from './fields.dto.js';

const MAX_IDS = 100;

export const updateProfile = z.strictObject({
  displayName: displayName.optional(),
  handle: handle.nullable().optional(),
  bio: bio
    .transform((text) => (text === '' ? null : text))
    .nullable()
    .optional(),
  avatarMediaId: uuid.nullable().optional(),
  locale: locale.optional(),
  timeZone: timeZone.optional(),
});
export type UpdateProfile = z.output<typeof updateProfile>;

/** `?query=` or `?ids=a,b`, not both. */
export const userQuery = pageQuery
  .extend({
    query: line(2, 64).optional(),
    ids: z
      .union([z.string(), z.array(z.string())])
      .transform((ids) => [ids].flat().flatMap((part) => part.split(',')))
      .pipe(z.array(uuid).min(1).max(MAX_IDS))
      .optional(),
  })
  .refine(({ query, ids }) => (query === undefined) !== (ids === undefined), {
    message: 'Either query or ids is needed',
    params: { code: 'query_or_ids' },
  });
export type UserQuery = z.output<typeof userQuery>;
