import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, registerMany } from '../../support/people.js';
import { conversations, removeMember, type Result, room, upTo } from './support.js';

let app: TestApp;
let owner: Person;
let member: Person;
beforeAll(async () => {
  app = await createTestApp({ MESSAGE_MAX_CHARS: '100' });
  [owner, member] = (await registerMany(app.url, 2)) as [Person, Person];
});
afterAll(() => app.close());

interface Draft {
  conversationId: string;
  threadId: string | null;
  body: string;
  replyToSeq: number | null;
  attachmentIds: string[];
  rev: number;
}
const put = (id: string, body: unknown, threadId?: string): Promise<Result<Draft>> =>
  member.put(`${conversations}/${id}/draft${threadId ? `?threadId=${threadId}` : ''}`, body);
const list = async () => (await member.get<{ items: Draft[]; next: string | null }>('/api/v1/drafts')).body;

describe('drafts', () => {
  it('are one per conversation and thread; the last write wins', async () => {
    const { id } = await room([owner, member]);
    const threadId = randomUUID();
    const first = await put(id, { body: 'hel', replyToSeq: 1 });
    expect(first).toMatchObject({
      status: 200,
      body: { conversationId: id, threadId: null, body: 'hel', replyToSeq: 1, attachmentIds: [] },
    });
    const second = await put(id, { body: 'hello 👋' });
    expect(second.body).toMatchObject({ body: 'hello 👋', replyToSeq: null });
    // Being added is told in the same feed, at its own time.
    expect(second.body.rev).toBeGreaterThan(first.body.rev);
    await put(id, { body: 'in the thread' }, threadId);
    expect((await list()).items.map(({ body }) => body)).toEqual(['in the thread', 'hello 👋']);

    expect((await member.delete(`${conversations}/${id}/draft`)).status).toBe(204);
    expect((await member.delete(`${conversations}/${id}/draft`)).status).toBe(204);
    expect((await list()).items.map((draft) => draft.threadId)).toEqual([threadId]);
    const { body } = await member.get<{ changes: { t: string; v: Draft & { deleted?: true } }[] }>(
      `/api/v1/users/me/changes?after=${second.body.rev}`,
    );
    expect(body.changes.filter(({ t }) => t === 'draft').map(({ v }) => [v.threadId, v.deleted ?? false])).toEqual([
      [threadId, false],
      [null, true],
    ]);
  });

  it('are nobody else’s, and gone from the list with the membership', async () => {
    const { id } = await room([owner, member]);
    await put(id, { body: 'secret' });
    expect((await owner.get<{ items: Draft[] }>('/api/v1/drafts')).body.items).toEqual([]);
    await removeMember(member, id, 'me');
    expect((await list()).items.map((draft) => draft.conversationId)).not.toContain(id);
  });

  it('written at the same time end as one of them', async () => {
    const { id } = await room([owner, member]);
    const answers = await Promise.all(upTo(5).map((i) => put(id, { body: `${i}` })));
    const latest = answers.map(({ body }) => body).toSorted((a, b) => b.rev - a.rev)[0];
    expect((await list()).items.find((draft) => draft.conversationId === id)).toEqual(latest);
  });

  it.each<[string, unknown]>([
    ['no body', {}],
    ['a long body', { body: 'x'.repeat(101) }],
    ['NUL', { body: 'a\u0000' }],
    ['half a pair', { body: '\ud83d' }],
    ['a body that is no text', { body: 7 }],
    ['a position before the first', { body: 'x', replyToSeq: 0 }],
    ['attachments that are no ids', { body: 'x', attachmentIds: ['cat.png'] }],
    ['too many attachments', { body: 'x', attachmentIds: upTo(11).map(() => randomUUID()) }],
    ['an unknown member', { body: 'x', colour: 'red' }],
  ])('refuse %s', async (_, body) => {
    const { id } = await room([owner, member]);
    expect(await put(id, body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});
