import type { IncomingMessage } from 'node:http';
import { newSecret } from '../clock/clock.js';

const acceptable = /^[A-Za-z0-9._-]{8,64}$/;
const ids = new WeakMap<IncomingMessage, string>();

/** The id of a request: the caller's X-Request-Id when it is harmless, else one of our own. The same for the request's whole life. */
export function currentRequestId(request: IncomingMessage): string {
  let id = ids.get(request);
  if (id === undefined) {
    const given = request.headers['x-request-id'];
    id = typeof given === 'string' && acceptable.test(given) ? given : newRequestId();
    ids.set(request, id);
  }
  return id;
}

export const newRequestId = (): string => newSecret(9);
