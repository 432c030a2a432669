import { randomUUID } from 'node:crypto';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import type { CallView } from '../../../src/modules/messages/dto/call.view.js';
import type { MessageView } from '../../../src/modules/messages/dto/message.view.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { acting, createGroup, direct } from './support.js';

describe('calls', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(() => parley.close());
  const ring = async (c: string, person = ada, clientId: string = randomUUID()) =>
    person.post<CallView & { code?: string; callId?: string }>(`/api/v1/conversations/${c}/calls`, {
      media: 'video',
      clientId,
    });
  const act = (person: Person, call: { id: string }, action: string) =>
    person.post<CallView & { code?: string }>(`/api/v1/calls/${call.id}/${action}`);
  const states = (call: CallView) => Object.fromEntries(call.participants.map(({ userId, state }) => [userId, state]));

  it('rings, is accepted and ends; each step a change of its message and a hint to every device', async () => {
    const [pair] = await registerMany(parley.url, 1);
    const c = await direct(ada, pair as Person);
    const callee = pair as Person;
    const socket = await connect(callee);
    const clientId = randomUUID();
    const started = await ring(c, ada, clientId);
    expect(started).toMatchObject({
      status: 201,
      body: { state: 'ringing', media: 'video', initiatorId: ada.id, answeredAt: null },
    });
    const call = started.body;
    expect(states(call)).toEqual({ [ada.id]: 'joined', [callee.id]: 'ringing' });
    expect(await ring(c, ada, clientId)).toMatchObject({ status: 200, body: { id: call.id } });
    expect(await ada.post(`/api/v1/conversations/${c}/calls`, { media: 'audio', clientId })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    });
    expect(await ring(c, callee)).toMatchObject({ status: 409, body: { code: 'invalid_state', callId: call.id } });
    expect(await socket.until('call')).toEqual({
      callId: call.id,
      c,
      seq: call.seq,
      action: 'ring',
      state: 'ringing',
      userId: ada.id,
      deviceId: ada.deviceId,
    });
    expect((await callee.get<{ unread: number }>(`/api/v1/conversations/${c}/unread`)).body.unread).toBe(1);

    const accepted = await act(callee, call, 'accept');
    expect(accepted).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(states(accepted.body)).toEqual({ [ada.id]: 'joined', [callee.id]: 'joined' });
    expect(await act(callee, call, 'accept')).toMatchObject({ status: 200, body: { state: 'active' } });
    await socket.until('call', (x) => x['action'] === 'accept');

    expect(await act(callee, call, 'end')).toMatchObject({
      status: 200,
      body: { state: 'ended', endReason: 'hung_up' },
    });
    expect(await act(ada, call, 'end')).toMatchObject({ status: 200, body: { state: 'ended' } });
    expect(await act(ada, call, 'accept')).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    const last = await socket.until<{ v: MessageView }>(
      'change',
      (x: { v: MessageView }) => x.v.call?.state === 'ended',
    );
    expect(last.v).toMatchObject({ kind: 'call', seq: call.seq, senderId: ada.id, body: null });
    const revs = socket.events
      .filter(({ event }) => event === 'change')
      .map(({ payload }) => (payload as { v: MessageView }).v.call?.state);
    expect(revs).toEqual(['ringing', 'active', 'ended']);
    expect((await ring(c)).status).toBe(201);
    socket.close();
  });

  it('is declined by the last who is called, and cancelled by who called', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const { body: call } = await ring(c);
    expect(await act(ben, call, 'decline')).toMatchObject({ status: 200, body: { state: 'ringing' } });
    expect(await act(ben, call, 'decline')).toMatchObject({ status: 200, body: { state: 'ringing' } });
    expect(await act(eve, call, 'decline')).toMatchObject({
      status: 200,
      body: { state: 'declined', endReason: 'declined' },
    });
    const { body: next } = await ring(c);
    const cancelled = await act(ada, next, 'end');
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    expect(states(cancelled.body)).toEqual({ [ada.id]: 'left', [ben.id]: 'missed', [eve.id]: 'missed' });
  });

  it('lets members of a group come and go until the last has left', async () => {
    const c = await createGroup(ada, [ben]);
    const { body: call } = await ring(c);
    await ada.post(`/api/v1/conversations/${c}/members`, { userIds: [eve.id] });
    expect(await act(eve, call, 'accept')).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(await act(ben, call, 'accept')).toMatchObject({ status: 200 });
    expect(await act(eve, call, 'end')).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(await act(eve, call, 'accept')).toMatchObject({ status: 200 });
    const ended = await act(ada, call, 'end');
    expect(ended).toMatchObject({ body: { state: 'ended', endReason: 'initiator_ended' } });
    expect(new Set(Object.values(states(ended.body)))).toEqual(new Set(['left']));
    expect((await ben.get<{ items: CallView[] }>('/api/v1/calls?limit=1')).body.items[0]).toMatchObject({
      id: call.id,
    });
    expect((await ben.get<{ items: CallView[] }>(`/api/v1/calls?conversationId=${c}`)).body.items).toHaveLength(1);
  });

  it('has one winner among those who start at once', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const answers = await Promise.all([ada, ben, eve, ada, ben, eve].map((person) => ring(c, person)));
    const winners = answers.filter(({ status }) => status === 201);
    expect(winners).toHaveLength(1);
    for (const { status, body } of answers)
      if (status !== 201) expect(body).toMatchObject({ code: 'invalid_state', callId: winners[0]?.body.id });
    const dense = await query<{ n: number; last: number }>(
      'SELECT count(*)::int AS n, max(seq)::int AS last FROM messages WHERE conversation_id = $1',
      [c],
      parley.databaseUrl,
    );
    expect(dense[0]?.n).toBe(dense[0]?.last);
  });

  it('is missed after 45 seconds', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const { body: call } = await ring(c);
    const jobs = parley.app.nest.get(BackgroundWork);
    await jobs.runJob('calls.timeout');
    expect((await ada.get<CallView>(`/api/v1/calls/${call.id}`)).body.state).toBe('ringing');
    await query(
      `UPDATE call_logs SET created_at = created_at - interval '46 s' WHERE id = $1`,
      [call.id],
      parley.databaseUrl,
    );
    await jobs.runJob('calls.timeout');
    const missed = await ada.get<CallView>(`/api/v1/calls/${call.id}`);
    expect(missed.body).toMatchObject({ state: 'missed', endReason: 'no_answer' });
    expect(states(missed.body)).toEqual({ [ada.id]: 'left', [ben.id]: 'missed', [eve.id]: 'missed' });
  });

  it('relays signals between participants and to nobody else', async () => {
    const c = await createGroup(ada, [ben]);
    const { body: call } = await ring(c);
    const [from, to, stranger] = [await connect(ada), await connect(ben), await connect(eve)];
    const data = { sdp: 'v=0', candidates: [1, 2] };
    expect(await from.emit('call.signal', { callId: call.id, to: { userId: ben.id }, data })).toEqual({
      ok: true,
      data: { delivered: 1 },
    });
    expect(await to.until('call.signal')).toEqual({
      callId: call.id,
      from: { userId: ada.id, deviceId: ada.deviceId },
      data,
    });
    expect(
      await from.emit('call.signal', { callId: call.id, to: { userId: ben.id, deviceId: 'another' }, data }),
    ).toEqual({ ok: true, data: { delivered: 0 } });
    for (const [socket, callee] of [
      [stranger, ben],
      [from, eve],
    ] as const) {
      expect(await socket.emit('call.signal', { callId: call.id, to: { userId: callee.id }, data })).toMatchObject({
        ok: false,
        error: { code: 'not_found' },
      });
    }
    expect(
      await from.emit('call.signal', { callId: call.id, to: { userId: ben.id }, data: 'x'.repeat(17_000) }),
    ).toMatchObject({ ok: false, error: { code: 'validation_failed' } });
    for (const socket of [from, to, stranger]) socket.close();
  });

  it('relays signals of any size to the devices at other replicas and counts them all', async () => {
    const c = await createGroup(ada, [ben]);
    const { body: call } = await ring(c);
    const other = await createTestApp({}, { databaseUrl: parley.databaseUrl });
    const [from, here, there] = [await connect(ada), await connect(ben), await connect(acting(ben, other.url))];
    const signal = { callId: call.id, to: { userId: ben.id }, data: 'x'.repeat(16_000) };
    // The first ones may go before the replicas hear each other.
    await eventually(async () =>
      expect(await from.emit('call.signal', signal)).toEqual({ ok: true, data: { delivered: 2 } }),
    );
    const got = { callId: call.id, from: { userId: ada.id, deviceId: ada.deviceId }, data: signal.data };
    expect(await here.until('call.signal')).toEqual(got);
    expect(await there.until('call.signal')).toEqual(got);
    for (const socket of [from, here, there]) socket.close();
    await other.close();
  });

  it('is no business of strangers', async () => {
    const c = await createGroup(ada, [ben]);
    expect((await ring(c, eve)).status).toBe(404);
    const { body: call } = await ring(c);
    for (const action of ['accept', 'decline', 'end']) expect((await act(eve, call, action)).status).toBe(404);
    expect((await eve.get(`/api/v1/calls/${call.id}`)).status).toBe(404);
  });
});
