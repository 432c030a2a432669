import type { Problem } from './errors.js';
import type { SendFields } from './generated/contract.js';

/** A message that has no final answer yet, as it is kept in the store. Plain JSON. */
export interface StoredSend {
  conversationId: string;
  fields: SendFields;
  /** Grows with each message of a user on this device. */
  order: number;
  createdAt: string;
  /** The final refusal; it is not tried again by itself. */
  problem: Problem | null;
}

/** Where unsent messages survive. A `put` must be durable when it resolves. */
export interface OutboxStore {
  load(): Promise<StoredSend[]>;
  /** Adds, or replaces the one of the same clientId. */
  put(item: StoredSend): Promise<void>;
  remove(clientId: string): Promise<void>;
}

/** One store for each user: what one wrote is never sent by another. */
export type OutboxStoreFactory = (userId: string) => OutboxStore;

/** Survives reconnects, not a restart. */
export const memoryStore = (): OutboxStoreFactory => {
  const users = new Map<string, Map<string, StoredSend>>();
  return (userId) => {
    const items = users.get(userId) ?? new Map<string, StoredSend>();
    users.set(userId, items);
    return {
      load: async () => [...items.values()],
      put: async (item) => void items.set(item.fields.clientId, structuredClone(item)),
      remove: async (clientId) => void items.delete(clientId),
    };
  };
};

/** localStorage, or anything with its three methods: AsyncStorage, localForage over IndexedDB. */
export interface KeyValueStorage {
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** Keeps unsent messages under one key per user, one write after the other. */
export const storageStore =
  (storage: KeyValueStorage, prefix = 'parley:outbox:'): OutboxStoreFactory =>
  (userId) => {
    const key = prefix + userId;
    let last: Promise<unknown> = Promise.resolve();
    const read = async (): Promise<StoredSend[]> => {
      try {
        const items: unknown = JSON.parse((await storage.getItem(key)) ?? '[]');
        return Array.isArray(items) ? (items as StoredSend[]) : [];
      } catch (error) {
        // Text that is no JSON is of nobody's use; a storage that fails is not empty.
        if (error instanceof SyntaxError) return [];
        throw error;
      }
    };
    // Read again each time: another tab of the same user may write here as well.
    const change = (work: (items: StoredSend[]) => StoredSend[]): Promise<void> => {
      const done = last.then(async () => {
        const items = work(await read());
        await (items.length > 0 ? storage.setItem(key, JSON.stringify(items)) : storage.removeItem(key));
      });
      last = done.catch(() => undefined);
      return done;
    };
    const without = (items: StoredSend[], clientId: string) =>
      items.filter((item) => item.fields.clientId !== clientId);
    return {
      load: read,
      put: (item) => change((items) => [...without(items, item.fields.clientId), item]),
      remove: (clientId) => change((items) => without(items, clientId)),
    };
  };
