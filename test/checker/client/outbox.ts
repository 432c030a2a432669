import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1000;

export interface Outgoing {
  c: string;
  clientId: string;
  body: string;
  silent: boolean;
}

/** First in, first out per conversation, one outstanding, the same clientId until a final answer (client rule 4). */
export class Outbox {
  private readonly tails = new Map<string, Promise<void>>();
  waiting = 0;

  /** `attempt` answers whether the answer was final. */
  constructor(private readonly attempt: (message: Outgoing) => Promise<boolean>) {}

  add(c: string, body: string, silent: boolean): void {
    const message = { c, clientId: randomUUID(), body, silent };
    this.waiting += 1;
    const tail = (this.tails.get(c) ?? Promise.resolve()).then(() => this.deliver(message));
    this.tails.set(c, tail);
  }

  /** Resolves when nothing is left. */
  async empty(): Promise<void> {
    await Promise.all(this.tails.values());
  }

  private async deliver(message: Outgoing): Promise<void> {
    for (let wait = RETRY_MIN_MS; !(await this.attempt(message)); wait = Math.min(wait * 2, RETRY_MAX_MS)) {
      await delay(wait);
    }
    this.waiting -= 1;
  }
}
