import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';
import { type Conversation, conversations, removeMember, type Result, room, show, statuses, upTo } from './support.js';

let app: TestApp;
let owner: Person;
let guests: Person[];
beforeAll(async () => {
  app = await createTestApp({ PUBLIC_URL: 'https://chat.example' });
  [owner, ...guests] = (await registerMany(app.url, 5)) as [Person, ...Person[]];
});
afterAll(() => app.close());

interface Invite {
  id: string;
  code: string;
  url: string;
  role: string;
  maxUses: number | null;
  uses: number;
  expiresAt: string;
}
const invite = (id: string, body: unknown = {}): Promise<Result<Invite>> =>
  owner.post(`${conversations}/${id}/invites`, body);
const accept = (person: Person, code: string): Promise<Result<{ conversation: Conversation; joined: boolean }>> =>
  person.post(`/api/v1/invites/${code}/accept`);
const guest = (i: number): Person => {
  const person = guests[i];
  if (!person) throw new Error('no such guest');
  return person;
};

describe('an invite', () => {
  it('shows its code once, and lets its holder look and join', async () => {
    const { id } = await room([owner], { title: 'Club' });
    const made = await invite(id, { maxUses: 5 });
    expect(made).toMatchObject({ status: 201, body: { role: 'member', maxUses: 5, uses: 0 } });
    expect(made.body.url).toBe(`https://chat.example/?invite=${made.body.code}`);
    const week = Date.parse(made.body.expiresAt) - Date.parse(made.headers.get('date') ?? '');
    expect(Math.round(week / 86_400_000)).toBe(7);
    const list = await owner.get<{ items: Record<string, unknown>[] }>(`${conversations}/${id}/invites`);
    expect(list.body.items).toEqual([
      { id: made.body.id, role: 'member', maxUses: 5, uses: 0, expiresAt: made.body.expiresAt, createdBy: owner.id },
    ]);

    const preview = await guest(0).get(`/api/v1/invites/${made.body.code}`);
    expect(preview.body).toEqual({
      conversation: { id, type: 'group', title: 'Club', avatarMediaId: null, memberCount: 1 },
      expiresAt: made.body.expiresAt,
    });
    expect(await accept(guest(0), made.body.code)).toMatchObject({
      status: 200,
      body: { joined: true, conversation: { id, memberCount: 2 } },
    });
    expect(await accept(guest(0), made.body.code)).toMatchObject({ status: 200, body: { joined: false } });
    const after = await owner.get<{ items: Invite[] }>(`${conversations}/${id}/invites`);
    expect(after.body.items[0]?.uses).toBe(1);
  });

  it('is used up exactly', async () => {
    const { id } = await room([owner]);
    const { body } = await invite(id, { maxUses: 2 });
    const answers = await Promise.all(guests.map((person) => accept(person, body.code)));
    expect(statuses(answers)).toEqual([200, 200, 410, 410]);
    expect(answers.find(({ status }) => status === 410)?.body.code).toBe('invite_expired');
    expect((await show(owner, id)).body.memberCount).toBe(3);
  });

  it('ends by time and by revocation', async () => {
    const { id } = await room([owner]);
    const late = (await invite(id)).body;
    await query(
      `UPDATE conversation_invites SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [late.id],
      app.databaseUrl,
    );
    const revoked = (await invite(id)).body;
    expect((await owner.delete(`${conversations}/${id}/invites/${revoked.id}`)).status).toBe(204);
    expect((await owner.delete(`${conversations}/${id}/invites/${revoked.id}`)).status).toBe(204);
    expect((await owner.delete(`${conversations}/${id}/invites/${randomUUID()}`)).status).toBe(404);
    for (const { code } of [late, revoked]) {
      expect(await accept(guest(0), code)).toMatchObject({ status: 410, body: { code: 'invite_expired' } });
      expect((await guest(0).get(`/api/v1/invites/${code}`)).status).toBe(410);
    }
  });

  it('makes admins where an owner said so, and brings the removed back', async () => {
    const { id } = await room([owner, guest(0)]);
    await removeMember(owner, id, guest(0).id);
    const { code } = (await invite(id, { role: 'admin' })).body;
    expect((await accept(guest(0), code)).body.conversation.me.role).toBe('admin');
  });

  it('is gone with its conversation', async () => {
    const { id } = await room([owner]);
    const { code } = (await invite(id)).body;
    await owner.delete(`${conversations}/${id}`);
    expect((await guest(0).get(`/api/v1/invites/${code}`)).status).toBe(410);
    expect((await accept(guest(0), code)).status).toBe(410);
  });

  it('with an unknown code is not found, with nonsense refused', async () => {
    expect(await accept(guest(0), 'A'.repeat(24))).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await accept(guest(0), 'x')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('exists a hundred times at most', async () => {
    const { id } = await room([owner]);
    await query(
      `INSERT INTO conversation_invites (id, conversation_id, code_hash, created_by, expires_at)
       SELECT gen_random_uuid(), $1, gen_random_uuid()::text, $2, now() + interval '1 hour' FROM generate_series(1, 99)`,
      [id, owner.id],
      app.databaseUrl,
    );
    const answers = await Promise.all(upTo(3).map(() => invite(id)));
    expect(statuses(answers)).toEqual([201, 422, 422]);
    const first = await owner.get<{ items: Invite[]; next: string }>(`${conversations}/${id}/invites?limit=60`);
    const second = await owner.get<{ items: Invite[]; next: null }>(
      `${conversations}/${id}/invites?limit=60&cursor=${first.body.next}`,
    );
    expect(new Set([...first.body.items, ...second.body.items].map((item) => item.id)).size).toBe(100);
    expect(second.body.next).toBeNull();
  });

  it.each<[string, unknown]>([
    ['no time at all', { expiresInSec: 0 }],
    ['more than a year', { expiresInSec: 31_536_001 }],
    ['no uses', { maxUses: 0 }],
    ['owners', { role: 'owner' }],
    ['an unknown member', { colour: 'red' }],
  ])('is not made for %s', async (_, body) => {
    const { id } = await room([owner]);
    expect(await invite(id, body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});
