import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../support/app.js';
import { ending, prepare } from './authorization/requests.js';
import { type Cast, castFor, clientOf, type Scene, sceneFor } from './authorization/world.js';
import { jsonSchemaOf, type Route, routesOf } from './routes.js';

let app: TestApp;
let cast: Cast;
let scene: Scene;
let routes: Route[];
beforeAll(async () => {
  app = await createTestApp();
  routes = routesOf(app).filter(({ name, body }) => body && ending[name] === undefined);
  cast = await castFor(app);
  scene = await sceneFor(cast);
});
afterAll(() => app.close());

/** No field of any route may take these; each must be refused with the field's name, before anything is done. */
const hostile: Record<string, unknown> = {
  'a number too large': Number.MAX_VALUE,
  'a list of lists': [[[]]],
  'an object': { a: { b: 1 } },
  NUL: 'a\u0000b',
  'a direction override': 'abc\u202Egpj',
  'half a surrogate pair': 'abc\ud800',
  'a long text': 'x'.repeat(60_000),
};
const threshold = { warning: 1, critical: 2 };
const settings = {
  thresholds: {
    latency: threshold,
    p95Latency: threshold,
    errorRate: threshold,
    cacheHitRate: { warning: 2, critical: 1 },
    slowQueries: threshold,
    cpuUsage: threshold,
    memoryUsage: threshold,
  },
  backupLocation: '/backups',
  refreshInterval: 30_000,
  metricsRetentionDays: 7,
  aggregateRetentionDays: 365,
};
/** Bodies that get past validation where the matrix has none. */
const more: Record<string, object> = {
  'POST /api/v1/auth/register': {
    identifier: 'a@example.com',
    password: 'password-1',
    displayName: 'A',
    handle: 'abc',
  },
  'POST /api/v1/auth/login': { identifier: 'a@example.com', password: 'password-1' },
  'POST /api/v1/auth/refresh': { refreshToken: 'x'.repeat(43) },
  'POST /api/v1/auth/otp/request': { identifier: 'a@example.com', purpose: 'login' },
  'POST /api/v1/auth/otp/verify': { identifier: 'a@example.com', purpose: 'login', code: '123456' },
  'POST /api/v1/auth/password/reset': { identifier: 'a@example.com', code: '123456', newPassword: 'password-1' },
  'POST /api/v1/setup': { setupToken: 'x', identifier: 'a@example.com', password: 'password-1', displayName: 'A' },
  'PATCH /api/v1/users/me': {
    displayName: 'A',
    handle: 'abc',
    bio: 'b',
    locale: 'en',
    timeZone: 'UTC',
    avatarMediaId: randomUUID(),
  },
  'PUT /api/v1/devices/:deviceId': {
    provider: 'fcm',
    platform: 'android',
    token: 't',
    appVersion: '1',
    locale: 'en',
  },
  'PUT /api/v1/system-health/settings': settings,
  'PUT /api/system-health/settings': settings,
  'PATCH /api/v1/admin/users/:id': { displayName: 'A', handle: 'abc', email: 'a@example.com', phone: '+4930123456' },
};
/**
 * Passwords to compare and the setup token are only compared: their faults are not told apart from a wrong one. JSON of
 * the caller's own is kept as it is.
 */
const comparedOrFree = /^(password|currentPassword|setupToken|meta|summary)$/;
/** What is said may run in any direction: scripts mix. */
const isFree = (field: string, what: string): boolean => field === 'body' && what === 'a direction override';
/** These know better what is wrong than a field's name tells. */
const ownCodes = new Set(['invalid_cursor', 'idempotency_mismatch', 'role_insufficient']);

it('every field of every body refuses them, by name', async () => {
  const wrong: string[] = [];
  let asked = 0;
  for (const route of routes) {
    const { path, body, headers = {} } = await prepare(route.name, cast, scene);
    const good = { ...(body as object | undefined), ...more[route.name] };
    const schema = route.body ? jsonSchemaOf(route.body, 'input') : {};
    const fields = new Set([...Object.keys(good), ...Object.keys(schema.properties ?? {})]);
    const by = clientOf(cast, /\/(admin|system-health)\//.test(path) ? 'administrator' : 'owner');
    for (const field of fields) {
      for (const [what, value] of Object.entries(hostile)) {
        if (comparedOrFree.test(field) || isFree(field, what)) continue;
        const answer = await by.send<{ code: string; errors: { path: string; code: string }[] }>(
          route.method,
          path,
          { ...good, [field]: value },
          headers,
        );
        asked += 1;
        const named = answer.body.errors?.some((error) => error.path.startsWith(field) && error.code !== '');
        const refused = answer.status === 400 ? named : answer.status > 400 && answer.status < 500;
        if (!refused && !ownCodes.has(answer.body.code))
          wrong.push(`${route.name} ${field}: ${what} ${answer.status} ${JSON.stringify(answer.body.errors)}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(500);
}, 120_000);

it('text is trimmed and counted as people count', async () => {
  const { owner } = cast.people;
  const rename = (displayName: string) => owner.patch('/api/v1/users/me', { displayName }, { 'if-match': '*' });
  expect((await rename('  Ada\u00a0 ')).body).toMatchObject({ displayName: 'Ada' });
  expect((await rename('A\u030a')).body).toMatchObject({ displayName: 'Å' });
  expect((await rename('👩‍👩‍👧'.repeat(12))).status).toBe(200);
  for (const blank of ['', ' ', '\t', '\u00a0', '\u200b', '\u3000'])
    expect(await rename(blank)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'displayName', code: 'too_short' }] },
    });
});
