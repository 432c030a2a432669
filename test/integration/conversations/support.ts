import { query } from '../../support/database.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import type { TestApp } from '../../support/app.js';
import type { Answer, HttpClient } from '../../support/http-client.js';
import type { Person } from '../../support/people.js';

export interface Me {
  role: string;
  state: string;
  visibleFromSeq: number;
  readSeq: number;
  deliveredSeq: number;
  unread: number;
  notifyLevel: string;
  mutedUntil: string | null;
  pinnedAt: string | null;
  archivedAt: string | null;
  markedUnread: boolean;
}

export interface Conversation {
  id: string;
  type: string;
  title: string | null;
  description: string | null;
  visibility: string;
  settings: Record<string, unknown>;
  rev: number;
  memberCount: number;
  head: { seq: number; rev: number };
  me: Me;
}

interface Problem {
  code: string;
  errors: { path: string; code: string }[];
  limit?: string;
  max?: number;
}

export type Result<Body> = Answer<Body & Problem>;

export const conversations = '/api/v1/conversations';

export const create = (person: HttpClient, body: unknown): Promise<Result<Conversation>> =>
  person.post(conversations, body);

/** A conversation that must come about; the first of `people` is its owner. */
export async function room(
  [owner, ...others]: readonly Person[],
  more: Record<string, unknown> = {},
): Promise<Conversation> {
  if (!owner) throw new Error('a room needs an owner');
  const { status, body } = await create(owner, {
    type: 'group',
    title: 'Room',
    memberIds: others.map(({ id }) => id),
    ...more,
  });
  if (status !== 201) throw new Error(`create answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

export const show = (person: HttpClient, id: string): Promise<Result<Conversation>> =>
  person.get(`${conversations}/${id}`);

export const setRole = (
  owner: HttpClient,
  id: string,
  userId: string,
  role: string,
): Promise<Result<{ role: string }>> => owner.patch(`${conversations}/${id}/members/${userId}`, { role });

export const removeMember = (person: HttpClient, id: string, userId: string): Promise<Result<object>> =>
  person.delete(`${conversations}/${id}/members/${userId}`);

export const addMembers = (
  person: HttpClient,
  id: string,
  userIds: readonly string[],
): Promise<
  Result<{ added: { userId: string; rev: number }[]; already: string[]; refused: { userId: string; code: string }[] }>
> => person.post(`${conversations}/${id}/members`, { userIds });

/** Every rev the conversation's head has drawn, and those a row of its feed stands at. */
export async function feedOf(databaseUrl: string, id: string): Promise<{ head: number; revs: number[] }> {
  const heads = await query<{ rev: string }>(
    'SELECT rev FROM conversation_head WHERE conversation_id = $1',
    [id],
    databaseUrl,
  );
  const rows = await query<{ rev: string }>(
    `SELECT rev FROM conversations WHERE id = $1 UNION ALL SELECT rev FROM memberships WHERE conversation_id = $1
     UNION ALL SELECT rev FROM messages WHERE conversation_id = $1`,
    [id],
    databaseUrl,
  );
  return { head: Number(heads[0]?.rev), revs: rows.map(({ rev }) => Number(rev)).toSorted((a, b) => a - b) };
}

/** 1, 2, ... n. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** What waits in the outbox about a conversation; for an application with `ROLE=api`, which relays nothing. */
export const topicsOf = async (databaseUrl: string, id: string): Promise<string[]> =>
  (await query<{ topic: string }>('SELECT topic FROM outbox WHERE key = $1 ORDER BY id', [id], databaseUrl)).map(
    ({ topic }) => topic,
  );

/** How many statements the application runs meanwhile, those in transactions included. */
export async function statementsOf(app: TestApp, work: () => Promise<unknown>): Promise<number> {
  const database = app.app.nest.get(DatabaseService) as unknown as { run: (...args: unknown[]) => unknown };
  const run = jest.spyOn(database, 'run');
  try {
    await work();
    return run.mock.calls.length;
  } finally {
    run.mockRestore();
  }
}

/** Status codes, ascending: who came first does not matter. */
export const statuses = (answers: readonly { status: number }[]): number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);
