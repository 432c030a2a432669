import { userCreateAdmin } from '../../../src/cli/user.commands.js';
import { createTestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';

it('parley user create-admin makes an admin who can sign in; a second of the same address is refused', async () => {
  const parley = await createTestApp();
  const before = { ...process.env };
  Object.assign(process.env, {
    NODE_ENV: 'test',
    DATABASE_URL: parley.databaseUrl,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
  });
  const printed: unknown[] = [];
  const run = (...args: string[]) =>
    userCreateAdmin.run({
      args,
      flags: { name: 'Root' },
      json: true,
      print: (value) => void printed.push(value),
      note: () => undefined,
    });
  try {
    expect(await run('root@example.com')).toBe(0);
    const { password } = printed[0] as { password: string };
    const { status, body } = await new HttpClient(parley.url).post<{ user: { roles: string[] } }>(
      '/api/v1/auth/login',
      {
        identifier: 'root@example.com',
        password,
      },
    );
    expect([status, body.user.roles]).toEqual([200, ['user', 'admin']]);
    await expect(run('root@example.com')).rejects.toMatchObject({ code: 'already_exists' });
    expect(await run('nobody at all')).toBe(2);
  } finally {
    process.env = before;
    await parley.close();
  }
});
