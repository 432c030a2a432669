import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './http-client.js';

/** As every client does: who is told 503 comes again after what `Retry-After` says, here for a minute at most. */
export async function patiently<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  const until = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503 || performance.now() > until) return answer;
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  }
}
