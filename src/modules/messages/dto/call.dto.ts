import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { uuid } from '../../../platform/http/text.js';
import { callMedia } from './call.view.js';

const MAX_SIGNAL_BYTES = 16_384;

const startFields = { media: callMedia, clientId: uuid };
export const startCallBody = z.strictObject(startFields);
export type StartCallFields = z.output<typeof startCallBody>;

/** Socket: `call.start`. */
export const startCall = z.strictObject({ c: uuid, ...startFields });
export type StartCall = z.output<typeof startCall>;

/** Socket: `call.accept`, `call.decline`, `call.end`. */
export const callCommand = z.strictObject({ callId: uuid });
export type CallCommand = z.output<typeof callCommand>;

/** Socket: `call.signal`. Parley relays `data` and never looks into it. */
export const callSignal = z.strictObject({
  callId: uuid,
  to: z.strictObject({ userId: uuid, deviceId: z.string().min(1).max(128).optional() }),
  data: z.json().refine((data) => Buffer.byteLength(JSON.stringify(data)) <= MAX_SIGNAL_BYTES, {
    message: `At most ${MAX_SIGNAL_BYTES} bytes of JSON`,
    params: { code: 'too_long' },
  }),
});
export type CallSignalInput = z.output<typeof callSignal>;

export const callListQuery = pageQuery.extend({ conversationId: uuid.optional() });
export type CallListQuery = z.output<typeof callListQuery>;
