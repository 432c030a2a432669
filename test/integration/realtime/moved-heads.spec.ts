import { Client } from 'pg';
import { Feeds } from '../../../src/platform/realtime/feeds.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { startServer, type TestServer } from '../../support/postgres.js';
import { register } from '../../support/people.js';

// A server of its own: a horizon waits for every open transaction of the server, those of other tests included.
let server: TestServer;
let app: TestApp;
let feeds: Feeds;
let other: Client;
let id: string;
beforeAll(async () => {
  server = await startServer();
  app = await createTestApp({ ROLE: 'api', ANTI_ENTROPY_MS: '600000' }, { databaseUrl: server.url });
  feeds = app.app.nest.get(Feeds);
  other = new Client({ connectionString: app.databaseUrl });
  await other.connect();
  const person = await register(app.url);
  const made = await person.post<{ id: string }>('/api/v1/conversations', { type: 'group', title: 'x', memberIds: [] });
  ({ id } = made.body);
});
afterAll(async () => {
  await other.end();
  await app.close();
  await server.stop();
});

const moved = async (since?: string) => {
  if (!feeds.movedConversationHeads) throw new Error('no reader is registered');
  return feeds.movedConversationHeads(since);
};

describe('heads that moved since a horizon', () => {
  it('hold what a transaction changed that began before the horizon and ended after it', async () => {
    const { horizon: first, heads: none } = await moved();
    expect(none.size).toBe(0);
    await other.query('BEGIN');
    await other.query(
      'UPDATE conversation_head SET rev = rev + 1, updated_xid = pg_current_xact_id() WHERE conversation_id = $1',
      [id],
    );
    const during = await moved(first);
    expect(during.heads.has(id)).toBe(false);
    // Others commit meanwhile, so that transaction ids go on.
    await query('SELECT pg_current_xact_id()', [], app.databaseUrl);
    await other.query('COMMIT');
    const after = await moved(during.horizon);
    expect(after.heads.get(id)).toBe((await feeds.conversationHeads([id])).get(id));
    expect((await moved(after.horizon)).heads.has(id)).toBe(false);
  });
});
