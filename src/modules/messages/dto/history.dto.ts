import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';
import { messageView } from './message.view.js';

const position = wholeNumber(0);
const limit = wholeNumber(1, 100).prefault(50);
const atMostOne = (input: Record<string, unknown>) =>
  ['before', 'after', 'around'].filter((name) => input[name] !== undefined).length <= 1;
const oneDirection = { message: 'Only one of before, after and around', params: { code: 'not_together' } };

/** A page of messages by seq; the newest without a position. */
export const historyQuery = z
  .strictObject({
    before: position.optional(),
    after: position.optional(),
    /** Half of the page below this seq, the rest from it on. */
    around: position.optional(),
    threadId: uuid.optional(),
    limit,
  })
  .refine(atMostOne, oneDirection);
export type HistoryQuery = z.output<typeof historyQuery>;

export const threadHistoryQuery = z
  .strictObject({ before: position.optional(), after: position.optional(), limit })
  .refine(atMostOne, oneDirection);
export type ThreadHistoryQuery = z.output<typeof threadHistoryQuery>;

export const headView = z.object({ seq: z.number().int(), rev: z.number().int() });

/** Messages by seq, ascending, deleted ones and thread replies among them. */
export const historyView = z.object({
  items: z.array(messageView),
  hasBefore: z.boolean(),
  hasAfter: z.boolean(),
  head: headView,
});
export type HistoryView = z.output<typeof historyView>;

/** A seq in a path. */
export const seqParam = wholeNumber(1);
/** A message in a path: its seq, or its id. */
export const messageParam = z.union([seqParam, uuid]);
