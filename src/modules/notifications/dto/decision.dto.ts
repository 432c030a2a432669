import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';
import { deviceId } from './device.dto.js';

export const explainOwn = z.strictObject({ messageId: uuid, deviceId: deviceId.optional() });
export type ExplainOwn = z.output<typeof explainOwn>;

export const explainFor = z.strictObject({ messageId: uuid, userId: uuid });
export type ExplainFor = z.output<typeof explainFor>;

export const replayDecisions = z.strictObject({
  since: z.iso.datetime({ offset: true }).transform((at) => new Date(at)),
  /** Only failures with this reason. */
  reason: z.enum(['provider_error', 'token_dead']).optional(),
});
export type ReplayDecisions = z.output<typeof replayDecisions>;
