import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';

let app: TestApp;
let api: HttpClient;
let known: Person;
let stranger: Person;
beforeAll(async () => {
  app = await createTestApp({ RATE_SCALE: '100000' });
  api = new HttpClient(app.url);
  known = await register(app.url);
  stranger = await register(app.url);
  const { body } = await known.get<{ privacy: object }>('/api/v1/users/me/preferences');
  const hidden = { ...body, privacy: { ...body.privacy, discoverableBy: 'nobody' } };
  const { status } = await known.put('/api/v1/users/me/preferences', hidden, { 'if-match': '*' });
  expect(status).toBe(200);
});
afterAll(() => app.close());

const expectNobody = ({ body }: { body: Record<string, unknown> }) => expect(body['items']).toEqual([]);
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** How much longer a known account takes than an unknown one, as a ratio of medians of alternating calls. */
async function ratio(call: (identifier: string) => Promise<unknown>, samples: number): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < samples * 2; i++) {
    const identifier = i % 2 === 0 ? known.identifier : `${randomUUID()}@example.com`;
    const startedAt = performance.now();
    await call(identifier);
    times[i % 2 === 0 ? 0 : 1].push(performance.now() - startedAt);
  }
  return median(times[0]) / median(times[1]);
}

// A comparison left out, or a provider waited for, makes a factor of five and more; noise on a busy machine none of two.
it.each<[string, number, (identifier: string) => Promise<unknown>]>([
  ['login', 60, (identifier) => api.post('/api/v1/auth/login', { identifier, password: 'not the password' })],
  ['a code for login', 100, (identifier) => api.post('/api/v1/auth/otp/request', { identifier, purpose: 'login' })],
  [
    'a code for a new password',
    100,
    (identifier) => api.post('/api/v1/auth/otp/request', { identifier, purpose: 'reset_password' }),
  ],
  [
    'a new password',
    100,
    (identifier) =>
      api.post('/api/v1/auth/password/reset', { identifier, code: '000000', newPassword: 'new password' }),
  ],
  // Whoever does not want to be found is as unknown as who does not exist.
  [
    'a search by address',
    100,
    (identifier) => stranger.get(`/api/v1/users?query=${encodeURIComponent(identifier)}`).then(expectNobody),
  ],
])('%s takes the same time for known and unknown accounts', async (_what, samples, call) => {
  const found = await ratio(call, samples);
  expect(found).toBeGreaterThan(0.5);
  expect(found).toBeLessThan(2);
});
