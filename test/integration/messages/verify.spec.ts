import { randomUUID } from 'node:crypto';
import { MessagesService } from '../../../src/modules/messages/messages.service.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { cloneDatabase, query, type TestDatabase } from '../../support/database.js';
import { type Person, register } from '../../support/people.js';

let database: TestDatabase;
let parley: TestApp;
let ada: Person;
let c: string;

beforeAll(async () => {
  database = await cloneDatabase();
  parley = await createTestApp({}, { databaseUrl: database.url });
  ada = await register(parley.url, 'Ada');
  const ben = await register(parley.url, 'Ben');
  c = (await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] })).body.id;
  for (let i = 0; i < 5; i++)
    await ada.post(`/api/v1/conversations/${c}/messages`, { clientId: randomUUID(), body: `${i}` });
  await ada.post(`/api/v1/conversations/${c}/threads`, { rootSeq: 1 });
});
afterAll(async () => {
  await parley.close();
  await database.drop();
});

const violated = async (): Promise<string[]> => {
  const checks = await parley.app.nest.get(MessagesService, { strict: false }).verify();
  return checks.filter(({ ok }) => !ok).map(({ id }) => id);
};

/** What is broken by hand, put right again afterwards. */
const broken: [id: string, what: string, breaks: string, mends: string][] = [
  [
    'I3',
    'a clientId twice',
    `DROP INDEX messages_conversation_id_sender_id_client_id_key;
     UPDATE messages SET client_id = (SELECT client_id FROM messages WHERE seq = 1) WHERE seq = 2`,
    `UPDATE messages SET client_id = gen_random_uuid() WHERE seq = 2`,
  ],
  ['I4', 'a hole', 'UPDATE messages SET seq = 50 WHERE seq = 3', 'UPDATE messages SET seq = 3 WHERE seq = 50'],
  [
    'I4',
    'a row beyond the head',
    'UPDATE messages SET rev = rev + 100 WHERE seq = 5',
    'UPDATE messages SET rev = rev - 100 WHERE seq = 5',
  ],
  [
    'I10',
    'delivered beyond the head',
    'UPDATE memberships SET delivered_seq = delivered_seq + 100',
    'UPDATE memberships SET delivered_seq = delivered_seq - 100',
  ],
  [
    'I11',
    'an unread that no row stands for',
    'UPDATE messages SET counts = false WHERE seq = 5',
    'UPDATE messages SET counts = true WHERE seq = 5',
  ],
  [
    'S6',
    'a thread that counts replies it has not',
    'UPDATE threads SET reply_count = 7',
    'UPDATE threads SET reply_count = 0',
  ],
  [
    'S6',
    'a reply to nothing',
    'UPDATE messages SET reply_to_seq = 900 WHERE seq = 4',
    'UPDATE messages SET reply_to_seq = NULL WHERE seq = 4',
  ],
];

describe('verifying messages', () => {
  it('finds nothing where nothing is wrong, and says how much it looked at', async () => {
    const checks = await parley.app.nest.get(MessagesService, { strict: false }).verify();
    expect(checks.map(({ id, ok, checked }) => [id, ok, checked])).toEqual([
      ['I3', true, 1],
      ['I4', true, 1],
      ['I10', true, 1],
      ['I11', true, 2],
      ['S6', true, 1],
    ]);
  });

  it.each(broken)('reports %s for %s', async (id, _what, breaks, mends) => {
    await query(breaks, [], database.url);
    expect(await violated()).toContain(id);
    await query(mends, [], database.url);
    expect(await violated()).toEqual([]);
  });
});
