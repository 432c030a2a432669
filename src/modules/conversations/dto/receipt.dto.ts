import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';

const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** How far the caller has got. One of both is needed. */
export const putReceipt = z
  .strictObject({ delivered: seq.optional(), read: seq.optional() })
  .refine(({ delivered, read }) => delivered !== undefined || read !== undefined, {
    message: 'delivered or read is needed',
  });
export type PutReceipt = z.output<typeof putReceipt>;

const tuple = z.tuple([z.uuid(), seq, seq]);
export const receiptsAnswer = z.object({ items: z.array(tuple) });

/** The same by socket, of a conversation or of one of its threads. */
export const receiptCommand = z.union([
  z
    .strictObject({ c: uuid, delivered: seq.optional(), read: seq.optional() })
    .refine(({ delivered, read }) => delivered !== undefined || read !== undefined, {
      message: 'delivered or read is needed',
    }),
  z.strictObject({ c: uuid, threadId: uuid, read: seq }),
]);
export type ReceiptCommand = z.output<typeof receiptCommand>;
