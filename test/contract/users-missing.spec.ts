import { randomUUID } from 'node:crypto';
import { PolicyCheck } from '../../src/platform/auth/policy-check.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { type Person, register } from '../support/people.js';

let app: TestApp;
let ada: Person;
beforeAll(async () => {
  app = await createTestApp();
  ada = await register(app.url);
});
afterAll(() => app.close());

/** What a mutating route of the users module answers for an id that does not exist. */
const expected: Record<string, number> = {
  'PUT /api/v1/users/me/contacts/:userId': 404,
  'DELETE /api/v1/users/me/contacts/:userId': 204,
  'PUT /api/v1/users/me/blocks/:userId': 404,
  'DELETE /api/v1/users/me/blocks/:userId': 204,
  'DELETE /api/v1/auth/sessions/:id': 404,
  'DELETE /api/sessions/:id': 404,
};
const owned = /^(Auth|Sessions|Otp|Users|Account|Relations|Preferences)Controller\./;

it('every mutating route with an id has an expectation here', () => {
  const routes = app.app.nest
    .get(PolicyCheck)
    .routes()
    .filter(({ method, path, handler }) => owned.test(handler) && method !== 'GET' && path.includes(':'))
    .map(({ method, path }) => `${method} ${path}`);
  expect(routes.toSorted((a, b) => a.localeCompare(b))).toEqual(
    Object.keys(expected).toSorted((a, b) => a.localeCompare(b)),
  );
});

it.each(Object.entries(expected))('%s answers %i for what does not exist', async (route, status) => {
  const [method = '', path = ''] = route.split(' ');
  const answer = await ada.send<{ code?: string }>(method, path.replace(/:\w+/, randomUUID()), undefined, {});
  expect(answer.status).toBe(status);
  if (status === 404) expect(answer.body.code).toBe('not_found');
});

it.each(Object.keys(expected))('%s refuses what is no id', async (route) => {
  const [method = '', path = ''] = route.split(' ');
  for (const id of ['1', '%00', "'--", randomUUID().slice(1)]) {
    const answer = await ada.send<{ code?: string }>(method, path.replace(/:\w+/, id), undefined, {});
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
  }
});
