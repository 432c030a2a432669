import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { changedView, reactionsView } from '../../src/modules/messages/dto/change-message.dto.js';
import { callView } from '../../src/modules/messages/dto/call.view.js';
import { historyView } from '../../src/modules/messages/dto/history.dto.js';
import { messageView } from '../../src/modules/messages/dto/message.view.js';
import { scheduledView } from '../../src/modules/messages/dto/scheduled.view.js';
import { changesView, syncView, userChangesView } from '../../src/modules/messages/dto/sync.dto.js';
import { threadDetailView } from '../../src/modules/messages/dto/thread.view.js';
import { sendResult } from '../../src/modules/messages/messages.controller.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { type Connection, connect, type Person, registerMany } from '../support/people.js';
import { createGroup, send } from '../integration/messages/support.js';

/** The value has exactly the members of the schema: nothing missing, nothing that no client was told of. */
function expectExactly(schema: z.ZodType, value: unknown): void {
  expect(schema.parse(value)).toEqual(value);
}

describe('messages by REST and by socket', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let socket: Connection;
  let c: string;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben] = (await registerMany(parley.url, 2)) as [Person, Person];
    socket = await connect(ada);
    c = await createGroup(ada, [ben]);
  });
  afterAll(async () => {
    socket.close();
    await parley.close();
  });
  const path = (rest: string) => `/api/v1/conversations/${c}/${rest}`;

  it('answer in the shapes that are documented', async () => {
    const sent = await ada.post(path('messages'), {
      clientId: randomUUID(),
      kind: 'custom',
      body: 'x',
      meta: { a: [1, null] },
      mentions: [ben.id],
      mentionAll: true,
    });
    expectExactly(sendResult, sent.body);
    const { seq } = await send(ada, c, { body: 'root', replyToSeq: 1 });
    const thread = await ada.post<{ id: string }>(path('threads'), { rootSeq: seq });
    expectExactly(threadDetailView, thread.body);
    await send(ben, c, { body: 'reply', threadId: thread.body.id });
    expectExactly(reactionsView, (await ben.put(path(`messages/${seq}/reactions/x`))).body);
    await ada.put(path(`messages/${seq}/pin`));
    const call = await ada.post<{ id: string }>(path('calls'), { media: 'audio', clientId: randomUUID() });
    expectExactly(callView, call.body);
    await ben.post(`/api/v1/calls/${call.body.id}/accept`);
    await send(ada, c, { forwardOf: { conversationId: c, seq } });
    const gone = await send(ada, c, 'gone');
    expectExactly(changedView, (await ada.delete(path(`messages/${gone.seq}`))).body);
    expectExactly(changedView, (await ada.patch(path(`messages/${seq}`), { body: 'edited' })).body);
    expectExactly(
      scheduledView,
      (
        await ada.post('/api/v1/scheduled-messages', {
          conversationId: c,
          clientId: randomUUID(),
          body: 'x',
          sendAt: new Date(Date.now() + 60_000).toISOString(),
        })
      ).body,
    );
    expectExactly(messageView, (await ben.get(path(`messages/${seq}`))).body);
    expectExactly(historyView, (await ben.get(path('messages'))).body);
    expectExactly(changesView, (await ben.get(path('changes?after=0'))).body);
    expectExactly(userChangesView, (await ada.get('/api/v1/users/me/changes?after=0')).body);
    expectExactly(syncView, (await ben.post('/api/v1/sync', {})).body);
    for (const change of (await ben.get<{ changes: { t: string; v: unknown }[] }>(path('changes?after=0'))).body
      .changes) {
      if (change.t === 'message') expectExactly(messageView, change.v);
    }
  });

  // Each command twice: what REST refuses, the socket refuses with the same code.
  const nowhere = randomUUID();
  const pairs: [string, () => Promise<{ status: number; body: Record<string, unknown> }>, string, () => unknown][] = [
    [
      'a send to strangers',
      () => ada.post(`/api/v1/conversations/${nowhere}/messages`, { clientId: nowhere, body: 'x' }),
      'message.send',
      () => ({ c: nowhere, clientId: nowhere, body: 'x' }),
    ],
    [
      'a send without content',
      () => ada.post(path('messages'), { clientId: nowhere }),
      'message.send',
      () => ({ c, clientId: nowhere }),
    ],
    [
      'a send without clientId',
      () => ada.post(path('messages'), { body: 'x' }),
      'message.send',
      () => ({ c, body: 'x' }),
    ],
    [
      'an unknown member',
      () => ada.post(path('messages'), { clientId: nowhere, body: 'x', more: 1 }),
      'message.send',
      () => ({ c, clientId: nowhere, body: 'x', more: 1 }),
    ],
    [
      'an edit of a system message',
      () => ada.patch(path('messages/1'), { body: 'x' }),
      'message.edit',
      () => ({ c, seq: 1, body: 'x' }),
    ],
    ['a deletion of a system message', () => ada.delete(path('messages/1')), 'message.delete', () => ({ c, seq: 1 })],
    [
      'a reaction to nothing',
      () => ada.put(path('messages/9999/reactions/x')),
      'reaction.set',
      () => ({ c, seq: 9999, emoji: 'x', on: true }),
    ],
    [
      'a call that is not',
      () => ada.post(`/api/v1/calls/${nowhere}/accept`),
      'call.accept',
      () => ({ callId: nowhere }),
    ],
    [
      'changes ahead of the server',
      () => ada.get(path('changes?after=99999')),
      'changes',
      () => ({ c, after: 99_999 }),
    ],
    ['changes without a position', () => ada.get(path('changes')), 'changes', () => ({ c })],
    ['a sync with a bad limit', () => ada.post('/api/v1/sync', { limit: 0 }), 'sync', () => ({ limit: 0 })],
  ];
  it.each(pairs)('refuse alike: %s', async (_, rest, event, payload) => {
    const [answer, ack] = [await rest(), await socket.emit(event, payload())];
    expect(ack.ok).toBe(false);
    if (!ack.ok) expect([ack.error.status, ack.error.code]).toEqual([answer.status, answer.body['code']]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });
});
