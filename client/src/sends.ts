import type { Content } from './conversation.js';
import { sleep } from './errors.js';
import type { Message, SendFields } from './generated/contract.js';
import { newId } from './ids.js';
import { Outbox, type Pending } from './outbox.js';
import type { OutboxStoreFactory, StoredSend } from './outbox-store.js';
import type { SendResult } from './protocol.js';

interface Ports {
  store: OutboxStoreFactory;
  /** Whose messages these are; waits for the first connection where only the server knows. */
  userId(): Promise<string>;
  /** One attempt, over a connection. */
  send(item: StoredSend): Promise<SendResult>;
  changed(item: Pending): void;
}

/** Messages of this device on their way: an outbox that is opened when it is first needed. */
export class Sends {
  private outbox: Outbox | undefined;
  private opening: Promise<Outbox> | undefined;

  constructor(private readonly ports: Ports) {}

  /** Loads what an earlier run left, and sends it. Failing is no harm: the next use tries again. */
  start(): void {
    this.open().catch(() => undefined);
  }

  /** Resolves when the message is stored on this device. */
  async add(conversationId: string, content: Content): Promise<Pending> {
    const given = typeof content === 'string' ? { body: content } : content;
    const fields: SendFields = { ...given, clientId: given.clientId ?? newId() };
    return (await this.open()).add(conversationId, fields);
  }
  async retry(clientId: string): Promise<void> {
    await (await this.open()).retry(clientId);
  }
  async discard(clientId: string): Promise<void> {
    await (await this.open()).discard(clientId);
  }

  /** Those of one conversation that are not known to be stored on the server. */
  of(conversationId: string): Pending[] {
    return this.outbox?.of(conversationId) ?? [];
  }

  /** Whether the message is one of them, and says that everything before it was read. */
  readsBefore({ conversationId, clientId }: Message): boolean {
    return this.of(conversationId).some(({ fields }) => fields.clientId === clientId && fields.markRead !== false);
  }

  /** An own message has come back: it needs no sending any more. */
  seen(message: Message): void {
    this.outbox?.seen(message);
  }

  close(): void {
    this.outbox?.close();
  }

  private open(): Promise<Outbox> {
    this.opening ??= this.load().catch((error: unknown) => {
      // A store that fails now may work later.
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async load(): Promise<Outbox> {
    const outbox = new Outbox({
      store: this.ports.store(await this.ports.userId()),
      send: (item) => this.ports.send(item),
      pause: sleep,
      changed: (item) => this.ports.changed(item),
    });
    this.outbox = outbox;
    await outbox.load();
    return outbox;
  }
}
