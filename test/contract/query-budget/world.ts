import { randomUUID } from 'node:crypto';
import { MessagesConsumer } from '../../../src/modules/messages/messages.consumer.js';
import { createGroup, send } from '../../integration/messages/support.js';
import { createAdmin } from '../../support/admins.js';
import type { TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import type { Person } from '../../support/people.js';
import { made } from '../authorization/world.js';
import { addRows } from './rows.js';

/** Somebody who may see every list, and what the lists are about. */
export interface World {
  parley: TestApp;
  ada: Person;
  /** Users who were never here themselves. */
  people: string[];
  c: string;
  thread: string;
  messageId: string;
  webhook: string;
}

export async function worldFor(parley: TestApp): Promise<World> {
  const ada = await createAdmin(parley);
  const c = await createGroup(ada, []);
  const root = await send(ada, c, 'word');
  const { id: thread } = await made(ada, `/api/v1/conversations/${c}/threads`, { rootSeq: root.seq });
  const [endpoint] = await addRows(parley.databaseUrl, 'webhook_endpoints', 1);
  return {
    parley,
    ada,
    people: [],
    c,
    thread: String(thread),
    messageId: root.id,
    webhook: String(endpoint?.['id']),
  };
}

/** Makes every list longer by as many rows; those that others would have to make come straight into their tables. */
export async function grow(world: World, count: number): Promise<void> {
  const { parley, ada, people, c, thread, messageId, webhook } = world;
  const add = (table: string, given?: (i: number) => Record<string, unknown>) =>
    addRows(parley.databaseUrl, table, count, given);
  const news = (await add('users', () => ({ display_name: 'Person' }))).map(({ id }) => String(id));
  people.push(...news);
  const enemies = await add('users', () => ({ display_name: 'Person' }));
  await add('contacts', (i) => ({ owner_id: ada.id, target_id: news[i] }));
  await add('contacts', (i) => ({ owner_id: news[i], target_id: ada.id }));
  await add('user_blocks', (i) => ({ owner_id: ada.id, target_id: enemies[i]?.['id'] }));
  await add('user_sessions', () => ({ user_id: ada.id }));
  await add('recent_activity', () => ({ user_id: ada.id }));
  await add('thread_members', (i) => ({ thread_id: thread, user_id: news[i] }));
  await add('memberships', (i) => ({ conversation_id: c, user_id: news[i], state: 'active', role: 'member' }));
  await add('push_devices', () => ({ user_id: ada.id }));
  await add('notifications', () => ({ user_id: ada.id, conversation_id: c, actor_id: news[0] }));
  await add('notification_decisions', () => ({ message_id: messageId, user_id: ada.id, conversation_id: c }));
  await add('dead_letters');
  await add('webhook_endpoints');
  await add('webhook_deliveries', () => ({ endpoint_id: webhook }));
  await add('media_objects', () => ({ owner_id: ada.id, state: 'quarantined' }));
  await add('reports', (i) => ({ reporter_id: ada.id, user_id: news[i] }));
  await add('load_test_reports', () => ({ created_by: ada.id }));
  for (const table of ['system_metric_samples', 'system_metric_daily', 'health_alerts', 'rate_limit_violations'])
    await add(table, () => ({}));
  for (let i = 0; i < count; i++) await growByRequests(world, i);
  await findable(world);
}

async function growByRequests({ ada, c, thread }: World, i: number): Promise<void> {
  const path = `/api/v1/conversations/${c}`;
  const { seq } = await send(ada, c, { body: `word ${i}`, mentions: [ada.id] });
  await ada.put(`${path}/messages/${seq}/pin`);
  await ada.put(`${path}/messages/1/reactions/${randomUUID().slice(0, 8)}`);
  await made(ada, `${path}/threads`, { rootSeq: seq });
  await send(ada, c, { body: 'reply', threadId: thread });
  await made(ada, `${path}/invites`, {});
  const { id: call } = await made(ada, `${path}/calls`, { media: 'audio', clientId: randomUUID() });
  await ada.post(`/api/v1/calls/${String(call)}/end`);
  await made(ada, '/api/v1/scheduled-messages', {
    conversationId: c,
    clientId: randomUUID(),
    body: 'x',
    sendAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await made(ada, '/api/v1/conversations', { type: 'channel', title: 'Open', visibility: 'public', memberIds: [] });
  await ada.put(`/api/v1/conversations/${await createGroup(ada, [])}/draft`, { body: 'not yet' });
  await made(ada, '/api/v1/admin/roles', {
    name: `role-${randomUUID().slice(0, 8)}`,
    description: 'x',
    permissions: [],
  });
}

/** Search is filled by a worker, and none runs here. */
async function findable({ parley, c }: World): Promise<void> {
  const consumer = parley.app.nest.get(MessagesConsumer, { strict: false });
  const rows = await query<{ id: string }>('SELECT id FROM messages', [], parley.databaseUrl);
  for (const { id } of rows) await consumer.onCreated([{ id, topic: 'message.created', key: c, payload: { id } }]);
}
