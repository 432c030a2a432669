import type { Me, Message, SyncAnswer } from './generated/contract.js';
import { KnownConversations, type KnownConversationsPort } from './known-conversations.js';
import type { LiveChange } from './protocol.js';
import type { Ask } from './sync-core.js';

const ME = 'me';
const C = 'c';
const me = (fields: Partial<Me>): Me =>
  ({
    role: 'member',
    state: 'active',
    visibleFromSeq: 1,
    readSeq: 0,
    deliveredSeq: 0,
    unread: 0,
    mentions: 0,
    ...fields,
  }) as Me;
const message = (seq: number, fields: Partial<Message> = {}): Message =>
  ({
    id: `m${seq}`,
    conversationId: C,
    seq,
    rev: seq,
    kind: 'text',
    senderId: 'other',
    clientId: `client-${seq}`,
    body: 'hi',
    threadId: null,
    mentions: [],
    mentionAll: false,
    silent: false,
    deletedAt: null,
    createdAt: '',
    ...fields,
  }) as Message;

/** A device that has just learned of a conversation with one message, and waits for the answer to its first receipt. */
function device(pending: { clientId: string; markRead?: boolean }[] = []) {
  const asks: Ask[] = [];
  const answers: ((answer: Me) => void)[] = [];
  const sends = {
    of: () => [],
    seen: () => undefined,
    readsBefore: (one: Message) =>
      pending.some(({ clientId, markRead }) => clientId === one.clientId && markRead !== false),
  };
  const known = new KnownConversations({
    userId: () => ME,
    confirmDelivery: true,
    sends,
    emit: () => undefined,
    ask: (ask: Ask) => asks.push(ask),
    synced: () => undefined,
    request: () => new Promise((resolve) => answers.push(resolve)),
  } as unknown as KnownConversationsPort);
  known.connected();
  const [ask] = asks;
  if (!ask) throw new Error('no sync was asked for');
  const entry = { id: C, head: { seq: 1, rev: 1 }, me: me({ unread: 1 }), upTo: 1, limited: true, receipts: [] };
  known.core.answeredSync(ask, {
    epoch: 'e',
    reset: true,
    userRev: 0,
    user: [],
    userMore: false,
    gone: [],
    cursor: null,
    conversations: [{ ...entry, conversation: { id: C }, changes: [{ t: 'message', rev: 1, v: message(1) }] }],
  } as unknown as SyncAnswer);
  return {
    known,
    live: (one: Message) =>
      known.core.change({ c: C, from: one.rev - 1, rev: one.rev, t: 'message', v: one } as LiveChange),
    /** The answer to the receipt arrives. */
    answer: async (fields: Partial<Me>) => {
      answers.shift()?.(me(fields));
      await new Promise((resolve) => setImmediate(resolve));
    },
    unread: () => known.get(C)?.view.me.unread,
    readSeq: () => known.get(C)?.view.me.readSeq,
  };
}

describe('what is unread', () => {
  let known: KnownConversations;
  const start = (...parts: Parameters<typeof device>) => {
    const one = device(...parts);
    known = one.known;
    return one;
  };
  afterEach(() => known.end());

  it('is right when an answer was made before a message and arrives after it', async () => {
    const { live, answer, unread } = start();
    live(message(2));
    await answer({ deliveredSeq: 1, unread: 1 });
    expect(unread()).toBe(2);
  });

  it('is right when an answer was made after a message and arrives before it', async () => {
    const { live, answer, unread } = start();
    await answer({ deliveredSeq: 1, unread: 2 });
    live(message(2));
    expect(unread()).toBe(2);
  });

  it('counts an own message that does not say that all before it was read', () => {
    const { live, unread } = start([{ clientId: 'own', markRead: false }]);
    live(message(2, { senderId: ME, clientId: 'own' }));
    expect(unread()).toBe(2);
  });

  it('ends with an own message that does, whether or not its answer comes', () => {
    const { live, unread, readSeq } = start([{ clientId: 'own' }]);
    live(message(2, { senderId: ME, clientId: 'own' }));
    expect(unread()).toBe(0);
    expect(readSeq()).toBe(2);
  });

  it('stays at nothing when an own message of another device follows what was read', () => {
    const { known: all, live, unread, readSeq } = start();
    all.receipt([[C, ME, 1, 1]]);
    live(message(2, { senderId: ME }));
    expect(unread()).toBe(0);
    expect(readSeq()).toBe(2);
    live(message(3));
    expect(unread()).toBe(1);
  });

  it('does not count what arrives late from before an own message', () => {
    const { known: all, live, unread } = start();
    all.sent({ message: message(3, { senderId: ME }) }, true);
    live(message(2));
    live(message(3, { senderId: ME }));
    expect(unread()).toBe(0);
  });
});
