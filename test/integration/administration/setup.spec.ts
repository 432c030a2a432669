import { createTestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';

const token = 'setup-token-of-thirty-two-letters';
const account = { identifier: 'first@example.com', password: 'a good password', displayName: 'First' };

it('the first admin is made once, by whoever has the token', async () => {
  const parley = await createTestApp({ SETUP_TOKEN: token });
  try {
    const anybody = new HttpClient(parley.url);
    expect((await anybody.get('/api/v1/setup')).body).toEqual({ required: true });
    expect(await anybody.post('/api/v1/setup', { ...account, setupToken: 'another' })).toMatchObject({
      status: 401,
      body: { code: 'setup_token_invalid' },
    });
    expect((await anybody.get('/api/v1/setup')).body).toEqual({ required: true });
    const stored = await query<{ token_hash: string }>('SELECT token_hash FROM setup_tokens', [], parley.databaseUrl);
    expect(JSON.stringify(stored)).not.toContain(token);
    const attempts = await Promise.all(
      [1, 2, 3].map((n) =>
        anybody.post<{ user: { roles: string[]; permissions: string[] }; tokens: { accessToken: string } }>(
          '/api/v1/setup',
          {
            ...account,
            identifier: `first${n}@example.com`,
            setupToken: token,
          },
        ),
      ),
    );
    const made = attempts.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    expect(made[0]?.body.user.roles).toEqual(['user', 'admin']);
    expect(made[0]?.body.user.permissions).toContain('roles.write');
    expect((await anybody.get('/api/v1/setup')).body).toEqual({ required: false });
    expect((await anybody.post('/api/v1/setup', { ...account, setupToken: token })).status).toBe(404);
  } finally {
    await parley.close();
  }
});

it('an expired token is no token', async () => {
  const parley = await createTestApp({ SETUP_TOKEN: token });
  try {
    await query(`UPDATE setup_tokens SET expires_at = now()`, [], parley.databaseUrl);
    const answer = await new HttpClient(parley.url).post('/api/v1/setup', { ...account, setupToken: token });
    expect(answer).toMatchObject({ status: 401, body: { code: 'setup_token_invalid' } });
    expect((await query('SELECT 1 FROM users', [], parley.databaseUrl)).length).toBe(0);
  } finally {
    await parley.close();
  }
});
