import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Person, register } from '../../support/people.js';

interface Notice {
  kind: string;
  data: { event: string; sessionId: string | null };
}

let app: TestApp;
let api: HttpClient;
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
});
afterAll(() => app.close());

const signIn = async ({ identifier, password }: Person, deviceId?: string) =>
  (
    await api.post<{ tokens: { accessToken: string; sessionId: string } }>('/api/v1/auth/login', {
      identifier,
      password,
      ...(deviceId === undefined ? {} : { device: { deviceId } }),
    })
  ).body.tokens;
const notices = async (reader: HttpClient) =>
  (await reader.get<{ items: Notice[] }>('/api/v1/notifications')).body.items.map(({ kind, data }) => ({
    kind,
    ...data,
  }));
/** Asks until there are so many. */
async function told(reader: HttpClient, count: number) {
  for (;;) {
    const found = await notices(reader);
    if (found.length >= count) return found;
  }
}

it('a sign-in on a new device is told to those that are signed in already; one on a known device is not', async () => {
  const ada = await register(app.url);
  const phone = await connect(ada);
  const deviceId = randomUUID();
  const { sessionId } = await signIn(ada, deviceId);
  const notice = await phone.until<{ t: string; v: Notice }>('user.change', ({ t }) => t === 'notification');
  expect(notice.v).toMatchObject({ kind: 'security', actorId: null, data: { event: 'new_sign_in', sessionId } });
  await signIn(ada, deviceId);
  await signIn(ada, ada.deviceId);
  const { accessToken, sessionId: last } = await signIn(ada);
  const found = await told(new HttpClient(app.url, accessToken), 2);
  expect(found).toEqual([
    { kind: 'security', event: 'new_sign_in', sessionId: last },
    { kind: 'security', event: 'new_sign_in', sessionId },
  ]);
  phone.close();
});

it('a reused refresh token is told', async () => {
  const ada = await register(app.url);
  const other = await signIn(ada, randomUUID());
  const refresh = (refreshToken: string) =>
    api.post<{ refreshToken: string }>('/api/v1/auth/refresh', { refreshToken });
  await refresh((await refresh(ada.refreshToken)).body.refreshToken);
  expect((await refresh(ada.refreshToken)).body).toMatchObject({ code: 'refresh_reused' });
  expect((await told(new HttpClient(app.url, other.accessToken), 2))[0]).toEqual({
    kind: 'security',
    event: 'refresh_reused',
    sessionId: ada.sessionId,
  });
});

it('a new password is told, whoever set it', async () => {
  const ada = await register(app.url);
  const newPassword = `password-${randomUUID()}`;
  await ada.post('/api/v1/auth/password', { currentPassword: ada.password, newPassword });
  expect(await told(ada, 1)).toEqual([{ kind: 'security', event: 'password_changed', sessionId: ada.sessionId }]);
  await api.post('/api/v1/auth/otp/request', { identifier: ada.identifier, purpose: 'reset_password' });
  const inbox = await api.get<{ items: { code: string }[] }>(`/api/v1/dev/otp-inbox?identifier=${ada.identifier}`);
  await api.post('/api/v1/auth/password/reset', {
    identifier: ada.identifier,
    code: inbox.body.items[0]?.code,
    newPassword: ada.password,
  });
  const { accessToken } = await signIn(ada, ada.deviceId);
  expect((await told(new HttpClient(app.url, accessToken), 2))[0]).toMatchObject({ event: 'password_reset' });
});
