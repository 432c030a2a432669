import { randomUUID } from 'node:crypto';
import { useDatabase } from '../support/database.js';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/people.js';
import { startServerProcess } from '../support/server-process.js';

const database = useDatabase();

it('no password, token, code or message reaches the log or the metrics, whatever the level and the outcome', async () => {
  const server = await startServerProcess({
    DATABASE_URL: database.url,
    APP_SECRET: 'canary-app-secret-canary-app-secret-canary',
    LOG_LEVEL: 'trace',
    OTP_SENDER: 'webhook',
    OTP_WEBHOOK_URL: 'http://127.0.0.1:9/',
    OTP_WEBHOOK_SECRET: 'canary-webhook-secret',
  });
  let metrics = '';
  const secrets = ['canary-app-secret', 'canary-webhook-secret', new URL(database.url).password];
  try {
    const person = await register(server.url);
    const api = new HttpClient(server.url);
    const { identifier, password } = person;
    secrets.push(password, person.accessToken, person.refreshToken, 'canary-wrong-password', 'canary-new-password');
    await api.post('/api/v1/auth/login', { identifier, password });
    await api.post('/api/v1/auth/login', { identifier, password: 'canary-wrong-password' });
    await api.post('/api/v1/auth/login', { identifier, password: { nested: 'canary-wrong-password' } });
    await api.post('/api/v1/auth/login', '{"password":"canary-wrong-password"', { 'content-type': 'application/json' });
    const refreshed = await api.post<{ accessToken: string; refreshToken: string }>('/api/v1/auth/refresh', {
      refreshToken: person.refreshToken,
    });
    secrets.push(refreshed.body.accessToken, refreshed.body.refreshToken);
    await api.post('/api/v1/auth/otp/request', { identifier, purpose: 'login' });
    await api.post('/api/v1/auth/otp/verify', { identifier, code: '987654', purpose: 'login' });
    await api.post('/api/v1/auth/password/reset', { identifier, code: '987654', newPassword: 'canary-new-password' });
    await person.post('/api/v1/auth/password', { currentPassword: password, newPassword: 'canary-new-password' });
    const { body } = await person.post<{ url: string }>('/api/v1/users/me/exports');
    secrets.push(new URL(body.url, server.url).searchParams.get('signature') ?? 'no signature');
    await fetch(new URL(body.url, server.url)).then((response) => response.text());
    await api.get(`/api/v1/users/me?access_token=${person.accessToken}`);
    const again = await api.post<{ tokens: { accessToken: string } }>('/api/v1/auth/login', {
      identifier,
      password: 'canary-new-password',
    });
    secrets.push(
      again.body.tokens.accessToken,
      ...(await writeCanaries(new HttpClient(server.url, again.body.tokens.accessToken))),
    );
    metrics = (await api.get<string>('/metrics')).body;
  } finally {
    await server.stop();
  }
  expect(metrics).toContain('http_server_request_duration_seconds');
  const log = server.output() + metrics;
  expect(log).toContain('"path":"/api/v1/auth/login"');
  expect(log).toContain('otp.send_failed');
  for (const secret of secrets)
    expect(log.includes(secret) ? `the log contains ${secret.slice(0, 8)}...` : '').toBe('');
}, 60_000);

/** Puts a canary into every place where people write, by good requests and by refused ones; answers the canaries. */
async function writeCanaries(person: HttpClient): Promise<string[]> {
  const { body } = await person.post<{ id: string }>('/api/v1/conversations', {
    type: 'group',
    title: 'canary-title',
    memberIds: [],
  });
  const room = `/api/v1/conversations/${body.id}`;
  const clientId = randomUUID();
  await person.post(`${room}/messages`, { clientId, body: 'canary-message' });
  await person.post(`${room}/messages`, { clientId, body: 'canary-other-message' });
  await person.post(`${room}/messages`, { body: 'canary-refused-message' });
  await person.patch(`${room}/messages/1`, { body: 'canary-edit' });
  await person.put(`${room}/draft`, { body: 'canary-draft' });
  await person.patch('/api/v1/users/me', { bio: 'canary-bio' }, { 'if-match': '*' });
  await person.post('/api/v1/reports', { userId: randomUUID(), reason: 'spam', note: 'canary-note' });
  await person.get('/api/v1/search/messages?q=canary-search');
  await person.put(`/api/v1/devices/${randomUUID()}`, {
    provider: 'webhook',
    platform: 'web',
    token: 'canary-push-token',
  });
  await person.post(`/api/v1/invites/canary-invite-code/accept`);
  await person.post('/api/v1/setup', { setupToken: 'canary-setup-token' });
  const kinds = 'message other-message refused-message edit draft bio note search push-token setup-token';
  return kinds.split(' ').map((kind) => `canary-${kind}`);
}
