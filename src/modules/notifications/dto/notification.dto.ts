import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { refuse, uuid } from '../../../platform/http/text.js';

export const listNotifications = pageQuery.extend({
  unread: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
});
export type ListNotifications = z.output<typeof listNotifications>;

export const readNotifications = z
  .strictObject({
    ids: z.array(uuid).min(1).max(100).optional(),
    /** This one and all older ones. */
    upTo: uuid.optional(),
  })
  .superRefine(({ ids, upTo }, context) => {
    if ((ids === undefined) === (upTo === undefined)) refuse(context, 'ids_or_up_to', 'Either `ids` or `upTo`');
  });
export type ReadNotifications = z.output<typeof readNotifications>;
