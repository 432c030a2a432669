import { randomUUID } from 'node:crypto';
import { HttpClient } from '../../support/http-client.js';
import { type Cast, made, type Scene } from './world.js';

export interface Prepared {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Routes that end the caller's own session or account, with their bodies: asked by somebody new in place of each persona. */
export const ending: Record<string, (password: string) => unknown> = {
  'POST /api/v1/auth/logout': () => undefined,
  'DELETE /api/v1/auth/sessions': () => undefined,
  'DELETE /api/sessions': () => undefined,
  'POST /api/v1/auth/password': (currentPassword) => ({ currentPassword, newPassword: 'another password' }),
  'DELETE /api/v1/users/me': (password) => ({ password }),
};

/** Bodies that get past validation, so that what answers is the decision about rights. Absent: none. */
const bodies: Record<string, (cast: Cast, scene: Scene) => unknown> = {
  'POST /api/v1/conversations': ({ people }) => ({ type: 'direct', memberIds: [people.owner.id] }),
  'PATCH /api/v1/conversations/:id': () => ({ title: 'Renamed' }),
  'PATCH /api/v1/conversations/:id/me': () => ({ pinned: true }),
  'POST /api/v1/conversations/:id/members': ({ bystander }) => ({ userIds: [bystander.id] }),
  'PATCH /api/v1/conversations/:id/members/:userId': () => ({ role: 'admin' }),
  'POST /api/v1/conversations/:id/invites': () => ({}),
  'PUT /api/v1/conversations/:id/draft': () => ({ body: 'draft' }),
  'PUT /api/v1/conversations/:id/receipts': () => ({ read: 1 }),
  'POST /api/v1/conversations/:id/messages': () => ({ clientId: randomUUID(), body: 'text' }),
  'PATCH /api/v1/conversations/:id/messages/:seq': () => ({ body: 'edited' }),
  'POST /api/v1/conversations/:id/threads': (_, { seq }) => ({ rootSeq: seq }),
  'PATCH /api/v1/threads/:id': () => ({ title: 'Thread' }),
  'PUT /api/v1/threads/:id/read': (_, { seq }) => ({ seq }),
  'POST /api/v1/conversations/:id/calls': () => ({ clientId: randomUUID(), media: 'audio' }),
  'POST /api/v1/scheduled-messages': (_, { conversationId }) => ({
    conversationId,
    clientId: randomUUID(),
    body: 'later',
    sendAt: inAnHour(),
  }),
  'PATCH /api/v1/scheduled-messages/:id': () => ({ body: 'changed' }),
  'POST /api/v1/sync': () => ({}),
  'POST /api/v1/demo/world': () => ({ deviceId: randomUUID() }),
  'PUT /api/v1/demo/history': (_, { conversationId }) => ({ conversationId, ages: [] }),
  'PUT /api/v1/demo/chaos': () => ({ loseHints: false }),
  'POST /api/v1/demo/restart': () => ({ signal: 'SIGKILL' }),
  'PATCH /api/v1/users/me': () => ({ bio: 'me' }),
  'PUT /api/v1/presence/me': () => ({ mode: 'auto' }),
  'POST /api/v1/reports': (_, { messageId }) => ({ messageId, reason: 'spam' }),
  'POST /api/v1/media/uploads': () => picture,
  'POST /api/v1/system-health/load-test-reports': () => report(),
  'POST /api/v1/admin/users': () => ({ identifier: `${randomUUID()}@example.com`, displayName: 'Made' }),
  'PATCH /api/v1/admin/users/:id': () => ({ displayName: 'Renamed' }),
  'POST /api/v1/admin/users/:id/suspend': () => ({ reason: 'test' }),
  'PUT /api/v1/admin/users/:id/roles': () => ({ roles: [] }),
  'PUT /api/v1/admin/users/:id/permissions': () => ({ granted: ['users.read'] }),
  'PATCH /api/v1/admin/reports/:id': () => ({ state: 'resolved' }),
  'POST /api/v1/admin/roles': () => ({ name: `r${randomUUID().slice(0, 8)}`, permissions: [] }),
  'PATCH /api/v1/admin/roles/:name': () => ({ description: 'changed' }),
  'POST /api/v1/admin/media/:id/quarantine': () => ({ reason: 'test' }),
  'PATCH /api/v1/admin/webhooks/:id': () => ({ enabled: false }),
};

const queries: Record<string, (cast: Cast, scene: Scene) => string> = {
  'GET /api/v1/users': ({ people }) => `?ids=${people.owner.id}`,
  'GET /api/v1/presence': ({ people }) => `?ids=${people.owner.id}`,
  'GET /api/v1/search/messages': () => '?q=hello',
  'GET /api/v1/notifications/explain': (_, { messageId }) => `?messageId=${messageId}`,
  'GET /api/v1/conversations/:id/changes': () => '?after=0',
  'GET /api/v1/users/me/changes': () => '?after=0',
};

/** Values of parameters that are no ids, and name nothing. */
const absent: Record<string, string> = { seq: '999999', name: 'no-such', emoji: encodeURIComponent('🫥') };

/** Makes what the route is about and fills its parameters in; those that are `missing` name what does not exist. */
export async function prepare(
  route: string,
  cast: Cast,
  scene: Scene,
  missing: readonly string[] = [],
): Promise<Prepared> {
  const [, template = ''] = route.split(' ');
  const { people, other } = cast;
  const { conversationId: id, seq } = scene;
  const parameters: Record<string, string> = {
    seq: String(seq),
    message: String(seq),
    messageId: scene.messageId,
    emoji: encodeURIComponent('👍'),
    id,
  };
  const conversation = `/api/v1/conversations/${id}`;
  if (template.includes('/members/:userId')) parameters['userId'] = other.id;
  else if (template.includes('/contacts/:userId')) parameters['userId'] = people.owner.id;
  else if (template.includes('/blocks/:userId')) parameters['userId'] = cast.bystander.id;
  if (template.includes('/users/:id'))
    parameters['id'] = template.includes('admin') ? await someone(cast) : people.owner.id;
  if (template.includes(':sessionId')) parameters['sessionId'] = randomUUID();
  if (template.includes('/sessions/:id')) parameters['id'] = await anotherSession(cast);
  if (template.includes('/exports/:id'))
    parameters['id'] = String((await made(people.owner, '/api/v1/users/me/exports', {}))['id']);
  if (template.includes('/threads/:id'))
    parameters['id'] = String((await made(people.member, `${conversation}/threads`, { rootSeq: seq }))['id']);
  if (template.includes('/calls/:id'))
    parameters['id'] = String(
      (await made(people.owner, `${conversation}/calls`, { clientId: randomUUID(), media: 'audio' }))['id'],
    );
  if (template.includes('/scheduled-messages/:id'))
    parameters['id'] = String(
      (
        await made(people.owner, '/api/v1/scheduled-messages', {
          conversationId: id,
          clientId: randomUUID(),
          body: 'later',
          sendAt: inAnHour(),
        })
      )['id'],
    );
  if (template.includes(':inviteId') || template.includes(':code')) {
    const invite = await made(people.owner, `${conversation}/invites`, {});
    parameters['inviteId'] = String(invite['id']);
    parameters['code'] = String(invite['code']);
  }
  if (template.includes('/reports/:id'))
    parameters['id'] = String(
      (await made(people.owner, '/api/v1/reports', { userId: other.id, reason: 'spam' }))['id'],
    );
  if (/\/media\/(uploads\/)?:id/.test(template)) parameters['id'] = await pendingUpload(cast);
  if (template.endsWith('/media/:id/release'))
    await made(people.administrator, `/api/v1/admin/media/${parameters['id']}/quarantine`, { reason: 'test' });
  if (template.includes('/load-test-reports/:id')) parameters['id'] = await loadReport(cast);
  if (template.includes('/jobs/:name')) parameters['name'] = 'ratelimit.purge';
  if (template.includes('/roles/:name')) parameters['name'] = await someRole(cast);
  const path = template.replaceAll(/:(\w+)/g, (_, name: string) =>
    missing.includes(name) ? (absent[name] ?? randomUUID()) : (parameters[name] ?? randomUUID()),
  );
  const body = bodies[route]?.(cast, scene);
  return { path: path + (queries[route]?.(cast, scene) ?? ''), body, headers: { 'if-match': '*' } };
}

/** One more session of the owner, which may be ended without ending the matrix. */
async function anotherSession({ people: { owner }, url }: Cast): Promise<string> {
  const { identifier, password } = owner;
  const { tokens } = (await made(new HttpClient(url), '/api/v1/auth/login', { identifier, password })) as unknown as {
    tokens: { sessionId: string };
  };
  return tokens.sessionId;
}

const picture = { name: 'a.png', size: 100, mime: 'image/png', purpose: 'attachment' };
const report = () => ({
  name: 'matrix',
  scenario: 'matrix',
  version: '1',
  startedAt: new Date().toISOString(),
  finishedAt: new Date().toISOString(),
  summary: {},
});
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
async function pendingUpload({ people }: Cast): Promise<string> {
  const upload = await made(people.owner, '/api/v1/media/uploads', picture);
  return String(upload['mediaId']);
}

async function loadReport({ people }: Cast): Promise<string> {
  return String((await made(people.administrator, '/api/v1/system-health/load-test-reports', report()))['id']);
}

async function someRole({ people }: Cast): Promise<string> {
  const name = `r${randomUUID().slice(0, 8)}`;
  await made(people.administrator, '/api/v1/admin/roles', { name, permissions: [] });
  return name;
}
/** Made without a password, which is the slow part of making an account. */
async function someone({ people }: Cast): Promise<string> {
  const account = { identifier: `${randomUUID()}@example.com`, displayName: 'Somebody' };
  return String((await made(people.administrator, '/api/v1/admin/users', account))['id']);
}
