import { randomUUID } from 'node:crypto';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import type { ScheduledView } from '../../../src/modules/messages/dto/scheduled.view.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from './support.js';

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

describe('scheduled messages', () => {
  let parley: TestApp;
  let second: TestApp;
  let ada: Person;
  let ben: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    // One whose job runs only when the tests say so.
    second = await createTestApp({ ROLE: 'api' }, { databaseUrl: parley.databaseUrl });
    [ada, ben] = (await registerMany(parley.url, 2)) as [Person, Person];
  });
  afterAll(async () => {
    await second.close();
    await parley.close();
  });
  const schedule = (c: string, fields: Record<string, unknown> = {}, person = ada) =>
    person.post<ScheduledView & { code?: string }>('/api/v1/scheduled-messages', {
      conversationId: c,
      clientId: randomUUID(),
      sendAt: inMs(3_600_000),
      body: 'later',
      ...fields,
    });
  const due = (id: string) =>
    query(`UPDATE scheduled_messages SET send_at = now() - interval '1 hour' WHERE id = $1`, [id], parley.databaseUrl);
  const state = async (id: string) =>
    (
      await query<{ state: string; failure_code: string | null }>(
        'SELECT state, failure_code FROM scheduled_messages WHERE id = $1',
        [id],
        parley.databaseUrl,
      )
    )[0];
  const run = async (...apps: TestApp[]) =>
    void (await Promise.all(apps.map(({ app }) => app.nest.get(BackgroundWork).runJob('scheduled.dispatch'))));
  /** The job runs every second anyway; this waits until it is done with a row. */
  const settled = async (id: string) => {
    for (;;) {
      await run(second);
      const row = await state(id);
      if (row && row.state !== 'pending') return row;
    }
  };
  const bodies = async (c: string) =>
    (
      await query<{ body: string }>(
        'SELECT body FROM messages WHERE conversation_id = $1 AND sender_id IS NOT NULL ORDER BY seq',
        [c],
        parley.databaseUrl,
      )
    ).map(({ body }) => body);

  it('is made, listed, changed and cancelled by its author', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ada);
    const created = await schedule(c, { mentions: [ben.id] });
    expect(created).toMatchObject({
      status: 201,
      body: {
        conversationId: c,
        state: 'pending',
        body: 'later',
        mentions: [ben.id],
        messageId: null,
        failureCode: null,
      },
    });
    const { id, clientId } = created.body;
    expect(await socket.until('user.change', (x) => x['t'] === 'scheduled')).toMatchObject({
      rev: created.body.rev,
      v: { id, state: 'pending' },
    });
    const same = { clientId, mentions: [ben.id], sendAt: created.body.sendAt };
    expect(await schedule(c, same)).toMatchObject({ status: 200, body: { id } });
    expect(await schedule(c, { ...same, body: 'other' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    });
    expect(await ada.patch(`/api/v1/scheduled-messages/${id}`, { body: 'changed' })).toMatchObject({
      status: 200,
      body: { body: 'changed', mentions: [ben.id] },
    });
    const list = await ada.get<{ items: ScheduledView[] }>('/api/v1/scheduled-messages');
    expect(list.body.items).toMatchObject([{ id, body: 'changed' }]);
    expect((await ben.patch(`/api/v1/scheduled-messages/${id}`, { body: 'mine' })).status).toBe(404);
    expect((await ben.delete(`/api/v1/scheduled-messages/${id}`)).status).toBe(404);
    for (const _ of ['once', 'again']) expect((await ada.delete(`/api/v1/scheduled-messages/${id}`)).status).toBe(204);
    expect(await ada.patch(`/api/v1/scheduled-messages/${id}`, { body: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    expect((await ada.get<{ items: ScheduledView[] }>('/api/v1/scheduled-messages')).body.items).toEqual([]);
    expect(await socket.until('user.change', (x) => (x['v'] as ScheduledView).state === 'cancelled')).toMatchObject({
      t: 'scheduled',
    });
    socket.close();
  });

  it('is sent once though several dispatchers see it, however late, and tells its author', async () => {
    const c = await createGroup(ada, [ben]);
    const made = await Promise.all(Array.from({ length: 10 }, (_, i) => schedule(c, { body: `late ${i}` })));
    await send(ben, c, 'unread by ada');
    for (const { body } of made) await due(body.id);
    await run(parley, second, parley, second);
    for (const { body } of made) expect((await settled(body.id)).state).toBe('sent');
    expect((await bodies(c)).filter((body) => body.startsWith('late')).toSorted()).toEqual(
      made.map((_, i) => `late ${i}`),
    );
    // Nothing was read by it.
    expect((await ada.get<{ unread: number }>(`/api/v1/conversations/${c}/unread`)).body.unread).toBe(11);
    const changes = await ada.get<{ changes: { t: string; v: ScheduledView }[] }>('/api/v1/users/me/changes?after=0');
    const sent = changes.body.changes.filter(({ t, v }) => t === 'scheduled' && v.state === 'sent');
    expect(sent).toHaveLength(10);
    for (const { v } of sent) expect(v.messageId).not.toBeNull();
  });

  it('finds the message that a dispatcher sent before it died', async () => {
    const c = await createGroup(ada, [ben]);
    const { body } = await schedule(c, { body: 'once' });
    // What the first dispatcher had done when it was killed: sent, but not noted.
    const sent = await send(ada, c, { clientId: body.clientId, body: 'once' });
    await due(body.id);
    expect((await settled(body.id)).state).toBe('sent');
    expect(await bodies(c)).toEqual(['once']);
    expect(
      await query('SELECT message_id FROM scheduled_messages WHERE id = $1', [body.id], parley.databaseUrl),
    ).toEqual([{ message_id: sent.id }]);
  });

  it('fails by itself where it cannot be sent, and holds up no other', async () => {
    const [c, lost] = [await createGroup(ben, [ada]), await createGroup(ben, [ada])];
    const poisoned = await schedule(lost, { body: 'poisoned' });
    const broken = await schedule(c, { body: 'broken' });
    const good = await schedule(c, { body: 'good' });
    await query(
      `UPDATE scheduled_messages SET payload = '{"kind":"text","body":7}' WHERE id = $1`,
      [broken.body.id],
      parley.databaseUrl,
    );
    await ben.delete(`/api/v1/conversations/${lost}/members/${ada.id}`);
    for (const { body } of [poisoned, broken, good]) await due(body.id);
    expect(await settled(poisoned.body.id)).toEqual({ state: 'failed', failure_code: 'not_found' });
    expect(await settled(broken.body.id)).toEqual({ state: 'failed', failure_code: 'internal_error' });
    expect(await settled(good.body.id)).toEqual({ state: 'sent', failure_code: null });
    expect(await bodies(c)).toEqual(['good']);
  });

  it('is either cancelled or sent, never both', async () => {
    const c = await createGroup(ada, [ben]);
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => schedule(c, { body: `race ${i}` })));
    for (const { body } of made) await due(body.id);
    const [cancellations] = await Promise.all([
      Promise.all(made.map(({ body }) => ada.delete<{ code?: string }>(`/api/v1/scheduled-messages/${body.id}`))),
      run(parley, second),
    ]);
    const sent = new Set(await bodies(c));
    for (const [i, { status }] of cancellations.entries()) {
      const { state: its } = await settled(made[i]?.body.id ?? '');
      expect([status, its, sent.has(`race ${i}`) || its === 'sent']).toEqual(
        status === 204 ? [204, 'cancelled', false] : [409, 'sent', true],
      );
    }
  });

  it('asks for a time between ten seconds and a year ahead, a right to write, and a free place', async () => {
    const c = await createGroup(ben, [ada], { settings: { whoCanPost: 'admin' } });
    expect(await schedule(c)).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    const open = await createGroup(ada, []);
    for (const sendAt of [inMs(5000), inMs(-1), inMs(400 * 86_400_000), 'tomorrow'])
      expect(await schedule(open, { sendAt })).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect((await schedule(randomUUID())).status).toBe(404);
    const many = await Promise.all(Array.from({ length: 102 }, () => schedule(open)));
    expect(many.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(100);
    expect(many.find(({ status }) => status !== 201)).toMatchObject({
      status: 422,
      body: { code: 'limit_exceeded', limit: 'scheduled', max: 100 },
    });
  });
});
