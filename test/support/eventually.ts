import { setTimeout as delay } from 'node:timers/promises';

/** Tries the assertions until they hold; after `withinMs` what they last said. */
export async function eventually(assertions: () => Promise<void>, withinMs = 30_000): Promise<void> {
  for (const until = Date.now() + withinMs; ; await delay(25)) {
    try {
      return await assertions();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
