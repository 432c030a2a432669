import { randomUUID } from 'node:crypto';
import { MessagesConsumer } from '../../../src/modules/messages/messages.consumer.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from './support.js';

describe('erasure', () => {
  let parley: TestApp;
  beforeAll(async () => void (parley = await createTestApp()));
  afterAll(() => parley.close());

  it('leaves tombstones of all that a person wrote, in deleted conversations too, and nothing that waits', async () => {
    const [ada, ben] = (await registerMany(parley.url, 2)) as [Person, Person];
    const [kept, deleted] = [await createGroup(ada, [ben]), await createGroup(ada, [ben])];
    for (const c of [kept, deleted]) {
      await send(ben, c, 'mine');
      await send(ada, c, 'not mine');
    }
    const later = {
      conversationId: kept,
      clientId: randomUUID(),
      body: 'mine, later',
      sendAt: new Date(Date.now() + 60_000).toISOString(),
    };
    expect((await ben.post('/api/v1/scheduled-messages', later)).status).toBe(201);
    await ada.delete(`/api/v1/conversations/${deleted}`);
    const consumer = parley.app.nest.get(MessagesConsumer, { strict: false });
    const event = { id: randomUUID(), topic: 'user.erased', key: ben.id, payload: { userId: ben.id } };
    await consumer.onUserErased(event);
    await consumer.onUserErased(event);
    const rows = await query<{ body: string | null }>(
      'SELECT body FROM messages WHERE sender_id IS NOT NULL ORDER BY conversation_id, seq',
      [],
      parley.databaseUrl,
    );
    expect(rows.map(({ body }) => body)).toEqual([null, 'not mine', null, 'not mine']);
    const scheduled = await query<{ state: string; payload: object }>(
      'SELECT state, payload FROM scheduled_messages',
      [],
      parley.databaseUrl,
    );
    expect(scheduled[0]?.state).toBe('cancelled');
    expect(JSON.stringify(scheduled)).not.toContain('mine');
    expect((await ada.get<{ unread: number }>(`/api/v1/conversations/${kept}/unread`)).body.unread).toBe(0);
  });
});
