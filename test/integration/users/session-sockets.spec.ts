import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Connection, register } from '../../support/people.js';
import { UsersService } from '../../../src/modules/users/users.service.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';

let here: TestApp;
let there: TestApp;
beforeAll(async () => {
  here = await createTestApp();
  there = await createTestApp({}, { databaseUrl: here.databaseUrl });
});
afterAll(async () => {
  await there.close();
  await here.close();
});

const closed = ({ socket }: Connection): Promise<string> =>
  socket.connected ? new Promise((resolve) => socket.once('disconnect', resolve)) : Promise.resolve('closed');

describe('the sockets of a session close on every replica', () => {
  it('at logout', async () => {
    const person = await register(here.url);
    const socket = await connect({ ...person, url: there.url });
    await person.post('/api/v1/auth/logout');
    expect(await socket.until('session.revoked')).toEqual({ reason: 'revoked' });
    await closed(socket);
    await expect(connect({ ...person, url: there.url })).rejects.toThrow('session_revoked');
  });

  it('at a changed password, but for the session that changed it', async () => {
    const person = await register(here.url);
    const { identifier, password } = person;
    const { body } = await new HttpClient(here.url).post<{ tokens: { accessToken: string; deviceId: string } }>(
      '/api/v1/auth/login',
      { identifier, password },
    );
    const mine = await connect({ ...person, url: there.url });
    const other = await connect({ ...body.tokens, url: there.url });
    await person.post('/api/v1/auth/password', { currentPassword: password, newPassword: 'another password' });
    expect(await other.until('session.revoked')).toEqual({ reason: 'password_changed' });
    expect(mine.socket.connected).toBe(true);
    mine.close();
  });

  it('at a reused refresh token, all of the family', async () => {
    const person = await register(here.url);
    const sockets = [await connect(person), await connect({ ...person, url: there.url })];
    const refresh = (refreshToken: string) =>
      new HttpClient(there.url).post<{ refreshToken: string }>('/api/v1/auth/refresh', { refreshToken });
    const { body } = await refresh(person.refreshToken);
    await refresh(body.refreshToken);
    expect((await refresh(person.refreshToken)).status).toBe(401);
    for (const socket of sockets) expect(await socket.until('session.revoked')).toEqual({ reason: 'refresh_reused' });
  });

  it('at suspension', async () => {
    const person = await register(here.url);
    const socket = await connect({ ...person, url: there.url });
    const users = here.app.nest.get(UsersService);
    await here.app.nest.get(DatabaseService).tx((tx) => users.suspend(person.id, 'spam', null, tx));
    expect(await socket.until('session.revoked')).toEqual({ reason: 'suspended' });
  });

  it('even when no replica said so', async () => {
    const person = await register(here.url);
    const socket = await connect({ ...person, url: there.url });
    await query(
      `UPDATE user_sessions SET revoked_at = now(), revoke_reason = 'deleted' WHERE id = $1`,
      [person.sessionId],
      here.databaseUrl,
    );
    expect(await socket.until('session.revoked')).toEqual({ reason: 'deleted' });
  });
});
