import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, type SendResult, send } from './support.js';

describe('sending', () => {
  let parley: TestApp;
  let people: Person[];
  let ada: Person, ben: Person, eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    people = await registerMany(parley.url, 3);
    [ada, ben, eve] = people as [Person, Person, Person];
  });
  afterAll(() => parley.close());

  it('answers the stored message to every repeat of a clientId, sent one hundred times at once', async () => {
    const c = await createGroup(ada, [ben]);
    const fields = { clientId: randomUUID(), body: 'once' };
    const socket = await connect(ada);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        if (i % 2) return (await ada.post<SendResult>(`/api/v1/conversations/${c}/messages`, fields)).body;
        const ack = await socket.emit<SendResult>('message.send', { c, ...fields });
        if (!ack.ok) throw new Error(ack.error.code);
        return ack.data;
      }),
    );
    socket.close();
    expect(answers.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    expect(new Set(answers.map(({ message }) => `${message.id} ${message.seq}`)).size).toBe(1);
    expect(await query(`SELECT count(*)::int AS n FROM messages WHERE client_id = $1`, [fields.clientId], parley.databaseUrl)).toEqual([{ n: 1 }]);
  });
});
