import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metrics } from '../../src/platform/logging/metrics.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { grow, type World, worldFor } from './query-budget/world.js';

interface Budget {
  /** Statements, however many rows it answers. Beside them every snapshot has its BEGIN and COMMIT. */
  most: number;
  /** Where `{}` in the path, or what is asked, is not about Ada. */
  path?: (world: World) => string;
  /** What does not grow with anything that is stored. */
  fixed?: boolean;
}

const inConversation = (path: string) => ({ path: ({ c }: World) => `/api/v1/conversations/${c}/${path}` });
/** Every list of the API. */
const budgets: Record<string, Budget> = {
  '/api/v1/auth/sessions': { most: 1 },
  '/api/sessions': { most: 1 },
  '/api/v1/dev/otp-inbox': { most: 0, fixed: true, path: () => '/api/v1/dev/otp-inbox?identifier=a@example.com' },
  '/api/v1/users': { most: 10, path: () => '/api/v1/users?query=Person' },
  '/api/v1/users/me/contacts': { most: 9 },
  '/api/v1/users/me/followers': { most: 9 },
  '/api/v1/users/me/blocks': { most: 9 },
  '/api/v1/users/me/activity': { most: 1 },
  '/api/v1/users/me/changes': { most: 11, path: () => '/api/v1/users/me/changes?after=0' },
  '/api/v1/presence': { most: 6, path: ({ people }) => `/api/v1/presence?ids=${people.join(',')}` },
  '/api/v1/conversations': { most: 1 },
  '/api/v1/conversations/discover': { most: 1 },
  '/api/v1/conversations/{id}/members': { most: 3, ...inConversation('members') },
  '/api/v1/conversations/{id}/invites': { most: 2, ...inConversation('invites') },
  '/api/v1/conversations/{id}/receipts': { most: 3, ...inConversation('receipts') },
  '/api/v1/drafts': { most: 1 },
  '/api/v1/conversations/{id}/messages': { most: 3, ...inConversation('messages') },
  '/api/v1/conversations/{id}/messages/{seq}/reactions': { most: 3, ...inConversation('messages/1/reactions') },
  '/api/v1/conversations/{id}/pins': { most: 2, ...inConversation('pins') },
  '/api/v1/conversations/{id}/threads': { most: 3, ...inConversation('threads') },
  '/api/v1/conversations/{id}/changes': { most: 7, ...inConversation('changes?after=0') },
  '/api/v1/threads/{id}/messages': { most: 5, path: ({ thread }) => `/api/v1/threads/${thread}/messages` },
  '/api/v1/threads/{id}/members': { most: 3, path: ({ thread }) => `/api/v1/threads/${thread}/members` },
  '/api/v1/calls': { most: 2 },
  '/api/v1/scheduled-messages': { most: 1 },
  '/api/v1/search/messages': { most: 4, path: () => '/api/v1/search/messages?q=word' },
  '/api/v1/devices': { most: 1 },
  '/api/v1/notifications': { most: 1 },
  '/api/v1/notifications/explain': {
    most: 3,
    path: ({ messageId }) => `/api/v1/notifications/explain?messageId=${messageId}`,
  },
  '/api/v1/admin/notifications/explain': {
    most: 3,
    path: ({ messageId, ada }) => `/api/v1/admin/notifications/explain?messageId=${messageId}&userId=${ada.id}`,
  },
  '/api/v1/admin/queues': { most: 2, fixed: true },
  '/api/v1/admin/dead-letters': { most: 1 },
  '/api/v1/admin/webhooks': { most: 1 },
  '/api/v1/admin/webhooks/{id}/deliveries': {
    most: 2,
    path: ({ webhook }) => `/api/v1/admin/webhooks/${webhook}/deliveries`,
  },
  '/api/v1/admin/audit-logs': { most: 1 },
  '/api/v1/admin/media': { most: 1 },
  '/api/v1/admin/jobs': { most: 1, fixed: true },
  '/api/v1/admin/conversations': { most: 1 },
  '/api/v1/admin/users': { most: 2 },
  '/api/v1/admin/users/{id}/sessions': { most: 2, path: ({ ada }) => `/api/v1/admin/users/${ada.id}/sessions` },
  '/api/v1/admin/reports': { most: 1 },
  '/api/v1/admin/roles': { most: 1 },
  '/api/v1/admin/permissions': { most: 1, fixed: true },
  '/api/v1/system-health/load-test-reports': { most: 1 },
  '/api/v1/system-health/samples': { most: 1 },
  '/api/v1/system-health/daily': { most: 1 },
  '/api/v1/system-health/alerts': { most: 1 },
  '/api/v1/system-health/rate-limit-violations': { most: 1 },
};

/** Lists of what is computed and not read: the links to the parts of an upload. */
const computed = ['/api/v1/media/uploads/{id}/parts'];

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
}
interface Operation {
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface OpenApi {
  paths: Record<string, { get?: Operation }>;
  components: { schemas: Record<string, Schema> };
}

/** Every GET that answers `items` or `changes`, as the contract says. */
function lists(): string[] {
  const file = join(import.meta.dirname, '../../docs/openapi.json');
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as OpenApi;
  const membersOf = ({ $ref, properties }: Schema): string[] =>
    $ref === undefined
      ? Object.keys(properties ?? {})
      : membersOf(components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {});
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const schema = get?.responses['200']?.content?.['application/json']?.schema ?? {};
    return membersOf(schema).some((name) => name === 'items' || name === 'changes') ? [path] : [];
  });
}

describe('statements per request', () => {
  let parley: TestApp;
  let world: World;
  beforeAll(async () => {
    // Nothing runs beside the requests that are counted.
    parley = await createTestApp({ ROLE: 'api', ANTI_ENTROPY_MS: '600000' });
    world = await worldFor(parley);
    await grow(world, 1);
  });
  afterAll(() => parley.close());

  const statements = async () =>
    (await metrics.dbDuration.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;
  /** Asks again where it was more than enough: a session that is looked up and a lease that is renewed are no part of it. */
  const cost = async <Body>(enough: number, work: () => Promise<{ status: number; body: Body }>) => {
    let used = Infinity;
    for (let tries = 1; ; tries++) {
      const before = await statements();
      const { status, body } = await work();
      used = Math.min(used, (await statements()) - before);
      if (used <= enough || tries === 4) return { status, body, used };
    }
  };
  interface Measure {
    status: number;
    rows: number;
    used: number;
  }
  const measured = async (earlier: Record<string, Measure> = {}) => {
    const result: Record<string, Measure> = {};
    for (const [name, { path, most }] of Object.entries(budgets)) {
      const asked = path?.(world) ?? name;
      const { status, body, used } = await cost(earlier[name]?.used ?? most, () =>
        world.ada.get<{ items?: unknown[]; changes?: unknown[] }>(asked),
      );
      result[name] = { status, rows: (body.items ?? body.changes ?? []).length, used };
    }
    return result;
  };

  it('is known of every list of the API', () => {
    expect([...Object.keys(budgets), ...computed].toSorted()).toEqual(lists().toSorted());
  });

  it('stays within its budget, and is the same however many rows there are', async () => {
    const few = await measured();
    await grow(world, 4);
    const many = await measured(few);
    if (process.env['PRINT_BUDGETS']) console.table(many);
    const wrong = Object.entries(budgets).flatMap(([name, { most, fixed = false }]) => {
      const [before, now] = [few[name], many[name]];
      const fine =
        now?.status === 200 &&
        before !== undefined &&
        now.used <= most &&
        now.used <= before.used &&
        (fixed || now.rows > before.rows);
      return fine ? [] : [{ name, most, before, now }];
    });
    expect(wrong).toEqual([]);
  });

  it('reads a page of history once, as long as nothing in it changes', async () => {
    const page = `/api/v1/conversations/${world.c}/messages?limit=7`;
    const used: number[] = [];
    for (let i = 0; i < 3; i++) used.push((await cost(1, () => world.ada.get(page))).used);
    expect(used.slice(1)).toEqual([1, 1]);
  });

  it.each([
    ['around a point', 'messages?around=5', 4],
    ['of one message', 'messages/2', 2],
  ])('%s', async (_, path, most) => {
    const { status, used } = await cost(most, () => world.ada.get(`/api/v1/conversations/${world.c}/${path}`));
    expect(status).toBe(200);
    expect(used).toBeLessThanOrEqual(most);
  });

  it('sync, with one conversation that has changed or with all', async () => {
    const { ada } = world;
    const { body } = await ada.post<{ epoch: string; conversations: { id: string; upTo: number }[] }>(
      '/api/v1/sync',
      {},
    );
    const heads = Object.fromEntries(body.conversations.map(({ id, upTo }) => [id, upTo]));
    const behind = Object.fromEntries(Object.entries(heads).map(([id, upTo]) => [id, upTo - 1]));
    for (const request of [{}, { epoch: body.epoch, heads }, { epoch: body.epoch, heads: behind }]) {
      const { used } = await cost(24, () => ada.post('/api/v1/sync', request));
      expect(used).toBeLessThanOrEqual(24);
    }
  });

  it('a send, and a repeat of it', async () => {
    const fields = { clientId: randomUUID(), body: 'x' };
    const post = async () => {
      const before = await statements();
      await world.ada.post(`/api/v1/conversations/${world.c}/messages`, fields);
      return (await statements()) - before;
    };
    await world.ada.get('/api/v1/users/me');
    expect(await post()).toBe(1);
    expect(await post()).toBeLessThanOrEqual(4);
  });
});
