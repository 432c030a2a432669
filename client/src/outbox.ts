import { backoffMs, type ParleyError, toParleyError } from './errors.js';
import type { Message, SendFields } from './generated/contract.js';
import type { OutboxStore, StoredSend } from './outbox-store.js';
import type { SendResult } from './protocol.js';

export type SendState = 'pending' | 'sent' | 'failed';

/** A message on its way, as it is shown. */
export interface Pending extends StoredSend {
  state: SendState;
  /** Resolves with the stored message, rejects with the final refusal. */
  done: Promise<SendResult>;
}

export interface OutboxPort {
  store: OutboxStore;
  /** One try. Resolves or rejects; without a connection it may wait or reject with a retryable error. */
  send(item: StoredSend): Promise<SendResult>;
  pause(ms: number): Promise<void>;
  changed(item: Pending): void;
}

interface Entry extends Pending {
  settle: (result: SendResult) => void;
  refuse: (error: ParleyError) => void;
}

/**
 * Keeps every message until the server has given a final answer: stored before the first try, first-in first-out per
 * conversation with one outstanding, and tried again with the same clientId for as long as the answer is not final
 * (protocol, section 6.4).
 */
export class Outbox {
  private readonly entries = new Map<string, Entry>();
  private readonly lanes = new Map<string, Entry[]>();
  private order = 0;
  private closed = false;

  constructor(private readonly port: OutboxPort) {}

  /** Takes up what an earlier run left behind. */
  async load(): Promise<void> {
    const stored = await this.port.store.load();
    for (const item of stored.toSorted((a, b) => a.order - b.order)) {
      if (!this.entries.has(item.fields.clientId)) this.enter(item);
    }
  }

  /** All that is under way or was refused, oldest first. */
  of(conversationId: string): Pending[] {
    return [...this.entries.values()].filter((entry) => entry.conversationId === conversationId);
  }

  /** Stores the message, then queues it. Once this resolves a crash does not lose it. */
  async add(conversationId: string, fields: SendFields): Promise<Pending> {
    this.order = Math.max(this.order + 1, Date.now());
    const createdAt = new Date().toISOString();
    const item: StoredSend = { conversationId, fields, order: this.order, createdAt, problem: null };
    await this.port.store.put(item);
    return this.enter(item);
  }

  /** The message was seen among the changes: as good as an answer. */
  seen(message: Message): void {
    if (message.clientId !== null) this.entries.get(message.clientId)?.settle({ message, deduplicated: true });
  }

  /** Tries a refused message again, under the same clientId. */
  async retry(clientId: string): Promise<Pending | undefined> {
    const refused = this.entries.get(clientId);
    if (refused?.state !== 'failed') return refused;
    const { conversationId, fields, order, createdAt } = refused;
    const item: StoredSend = { conversationId, fields, order, createdAt, problem: null };
    await this.port.store.put(item);
    this.entries.delete(clientId);
    return this.enter(item);
  }

  /** Forgets a refused message. One under way cannot be taken back. */
  async discard(clientId: string): Promise<boolean> {
    const entry = this.entries.get(clientId);
    if (entry?.state !== 'failed') return false;
    this.entries.delete(clientId);
    await this.port.store.remove(clientId);
    this.port.changed(entry);
    return true;
  }

  close(): void {
    this.closed = true;
  }

  private enter(item: StoredSend): Entry {
    const entry = { ...item, state: item.problem ? 'failed' : 'pending' } as Entry;
    entry.done = new Promise<SendResult>((resolve, reject) => {
      entry.settle = resolve;
      entry.refuse = reject;
    });
    // Who sends without looking at the answer learns of a refusal by the outbox event.
    entry.done.catch(() => undefined);
    this.order = Math.max(this.order, item.order);
    this.entries.set(item.fields.clientId, entry);
    this.port.changed(entry);
    if (entry.state === 'pending') this.queue(entry);
    return entry;
  }

  private queue(entry: Entry): void {
    const lane = this.lanes.get(entry.conversationId);
    if (lane) return void lane.push(entry);
    const fresh = [entry];
    this.lanes.set(entry.conversationId, fresh);
    void this.drain(entry.conversationId, fresh);
  }

  private async drain(conversationId: string, lane: Entry[]): Promise<void> {
    for (let entry = lane[0]; entry && !this.closed; entry = lane[0]) {
      await this.deliver(entry);
      lane.shift();
    }
    this.lanes.delete(conversationId);
  }

  private async deliver(entry: Entry): Promise<void> {
    for (let attempt = 1; !this.closed; attempt++) {
      try {
        await Promise.race([entry.done, this.port.send(entry).then(entry.settle)]);
        return await this.finish(entry);
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (error.code === 'closed') return;
        if (!error.retryable) return await this.fail(entry, error);
        // The change may arrive before the next try.
        const seen = await Promise.race([entry.done, this.port.pause(backoffMs(attempt, error))]);
        if (seen) return await this.finish(entry);
      }
    }
  }

  private async finish(entry: Entry): Promise<void> {
    this.entries.delete(entry.fields.clientId);
    entry.state = 'sent';
    this.port.changed(entry);
    await this.port.store.remove(entry.fields.clientId).catch(() => undefined);
  }

  private async fail(entry: Entry, error: ParleyError): Promise<void> {
    entry.state = 'failed';
    entry.problem = error.problem;
    entry.refuse(error);
    const { conversationId, fields, order, createdAt, problem } = entry;
    await this.port.store.put({ conversationId, fields, order, createdAt, problem }).catch(() => undefined);
    this.port.changed(entry);
  }
}
