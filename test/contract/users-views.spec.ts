import type { Type } from '@nestjs/common';
import { AccountController } from '../../src/modules/users/account.controller.js';
import { AuthController, SessionsController } from '../../src/modules/users/auth.controller.js';
import { OtpController } from '../../src/modules/users/otp.controller.js';
import { PreferencesController } from '../../src/modules/users/preferences.controller.js';
import { RelationsController } from '../../src/modules/users/relations.controller.js';
import { UsersController } from '../../src/modules/users/users.controller.js';
import { type Returned, RETURNS } from '../../src/platform/http/returns.decorator.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { type Answer, HttpClient } from '../support/http-client.js';
import { type Person, register } from '../support/people.js';

let app: TestApp;
let api: HttpClient;
let ada: Person;
let bob: Person;
let exportId = '';
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
  [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
});
afterAll(() => app.close());

const any = { 'if-match': '*' };
const code = async (identifier: string): Promise<string> => {
  const { body } = await api.get<{ items: { code: string }[] }>(`/api/v1/dev/otp-inbox?identifier=${identifier}`);
  return body.items[0]?.code ?? '';
};
const otp = (identifier: string, purpose: string) => api.post('/api/v1/auth/otp/request', { identifier, purpose });

/** Every route of the module once, in an order that works: what it answers is what it promises, no member more or less. */
const calls: [controller: Type, method: string, call: () => Promise<Answer>][] = [
  [
    AuthController,
    'register',
    () =>
      api.post('/api/v1/auth/register', { identifier: 'views@example.com', password: 'password', displayName: 'V' }),
  ],
  [
    AuthController,
    'login',
    () => api.post('/api/v1/auth/login', { identifier: ada.identifier, password: ada.password }),
  ],
  [AuthController, 'refresh', () => api.post('/api/v1/auth/refresh', { refreshToken: ada.refreshToken })],
  [SessionsController, 'list', () => ada.get('/api/v1/auth/sessions')],
  [SessionsController, 'revokeOthers', () => ada.delete('/api/v1/auth/sessions')],
  [
    SessionsController,
    'revoke',
    async () => {
      const { body } = await api.post<{ tokens: { sessionId: string } }>('/api/v1/auth/login', {
        identifier: ada.identifier,
        password: ada.password,
      });
      return ada.delete(`/api/v1/auth/sessions/${body.tokens.sessionId}`);
    },
  ],
  [UsersController, 'me', () => ada.get('/api/v1/users/me')],
  [UsersController, 'update', () => ada.patch('/api/v1/users/me', { bio: 'Hello' }, any)],
  [UsersController, 'find', () => ada.get(`/api/v1/users?ids=${bob.id}`)],
  [UsersController, 'get', () => ada.get(`/api/v1/users/${bob.id}`)],
  [RelationsController, 'addContact', () => ada.put(`/api/v1/users/me/contacts/${bob.id}`)],
  [RelationsController, 'contacts', () => ada.get('/api/v1/users/me/contacts')],
  [RelationsController, 'followers', () => bob.get('/api/v1/users/me/followers')],
  [RelationsController, 'removeContact', () => ada.delete(`/api/v1/users/me/contacts/${bob.id}`)],
  [RelationsController, 'block', () => ada.put(`/api/v1/users/me/blocks/${bob.id}`)],
  [RelationsController, 'blocks', () => ada.get('/api/v1/users/me/blocks')],
  [RelationsController, 'unblock', () => ada.delete(`/api/v1/users/me/blocks/${bob.id}`)],
  [PreferencesController, 'get', () => ada.get('/api/v1/users/me/preferences')],
  [
    PreferencesController,
    'put',
    async () => ada.put('/api/v1/users/me/preferences', (await ada.get('/api/v1/users/me/preferences')).body, any),
  ],
  [PreferencesController, 'list', () => ada.get('/api/v1/users/me/activity')],
  [OtpController, 'request', () => otp('views2@example.com', 'login')],
  [OtpController, 'inbox', () => api.get('/api/v1/dev/otp-inbox?identifier=views2@example.com')],
  [
    OtpController,
    'verify',
    async () =>
      api.post('/api/v1/auth/otp/verify', {
        identifier: 'views2@example.com',
        purpose: 'login',
        code: await code('views2@example.com'),
      }),
  ],
  [
    OtpController,
    'change',
    () => ada.post('/api/v1/auth/password', { currentPassword: ada.password, newPassword: 'another password' }),
  ],
  [
    OtpController,
    'reset',
    async () => {
      await otp(bob.identifier, 'reset_password');
      return api.post('/api/v1/auth/password/reset', {
        identifier: bob.identifier,
        code: await code(bob.identifier),
        newPassword: 'another password',
      });
    },
  ],
  [
    AccountController,
    'requestExport',
    async () => {
      const answer = await ada.post<{ id: string }>('/api/v1/users/me/exports');
      exportId = answer.body.id;
      return answer;
    },
  ],
  [AccountController, 'getExport', () => ada.get(`/api/v1/users/me/exports/${exportId}`)],
  [AccountController, 'delete', () => ada.send('DELETE', '/api/v1/users/me', { password: 'another password' }, {})],
  [
    AuthController,
    'logout',
    async () => {
      const { body } = await api.post<{ tokens: { accessToken: string } }>('/api/v1/auth/login', {
        identifier: 'views@example.com',
        password: 'password',
      });
      return new HttpClient(app.url, body.tokens.accessToken).post('/api/v1/auth/logout');
    },
  ],
];

const handler = (controller: Type, method: string) => (controller.prototype as Record<string, object>)[method] ?? {};

it.each(
  calls.map(
    ([controller, method, call]) => [`${controller.name}.${method}`, handler(controller, method), call] as const,
  ),
)('%s answers what it promises', async (_name, route, call) => {
  const { status, schema } = Reflect.getMetadata(RETURNS, route) as Returned;
  const answer = await call();
  expect([answer.status, answer.body]).toEqual([status, schema === null ? '' : schema.parse(answer.body)]);
});

it('and none is left out', () => {
  const tried = new Set(calls.map(([controller, method]) => handler(controller, method)));
  const controllers = [
    AccountController,
    AuthController,
    OtpController,
    PreferencesController,
    RelationsController,
    SessionsController,
    UsersController,
  ];
  const promised = controllers.flatMap(({ name, prototype }) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([, { value }]) => typeof value === 'function' && Reflect.hasMetadata(RETURNS, value as object))
      .map(([method, { value }]) => ({ name: `${name}.${method}`, route: value as object })),
  );
  // The archive is no JSON; test/integration/users/account.spec.ts reads it.
  expect(promised.filter(({ route }) => !tried.has(route)).map(({ name }) => name)).toEqual([
    'AccountController.archive',
  ]);
});
