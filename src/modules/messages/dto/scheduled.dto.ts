import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';
import { attachmentIds, checkContent, mentionIds, messageBody, sendFields } from './send-message.dto.js';

const sendAt = z.iso.datetime({ offset: true }).transform((at) => new Date(at));

export const createScheduled = z
  .strictObject({ conversationId: uuid, sendAt, ...sendFields })
  .superRefine(checkContent);
export type CreateScheduled = z.output<typeof createScheduled>;

export const updateScheduled = z.strictObject({
  sendAt: sendAt.optional(),
  body: messageBody.optional(),
  mentions: mentionIds.optional(),
  attachmentIds: attachmentIds.optional(),
});
export type UpdateScheduled = z.output<typeof updateScheduled>;
