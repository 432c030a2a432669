import { userCreateAdmin } from '../../../src/cli/user.commands.js';
import { verifyCommand } from '../../../src/cli/verify.command.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';

let parley: TestApp;
const before = { ...process.env };
beforeAll(async () => {
  parley = await createTestApp();
  Object.assign(process.env, {
    NODE_ENV: 'test',
    DATABASE_URL: parley.databaseUrl,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
  });
});
afterAll(async () => {
  process.env = before;
  await parley.close();
});

const printed: unknown[] = [];
const invocation = (args: string[], flags: Record<string, string | boolean>) => ({
  args,
  flags,
  json: true,
  print: (value: unknown) => void printed.push(value),
  note: () => undefined,
});
const createAdmin = (...args: string[]) => userCreateAdmin.run(invocation(args, { name: 'Root' }));
const verifyAudit = () => verifyCommand.run(invocation([], { audit: true }));

it('parley user create-admin makes an admin who can sign in; a second of the same address is refused', async () => {
  expect(await createAdmin('root@example.com')).toBe(0);
  const { password } = printed.at(-1) as { password: string };
  const { status, body } = await new HttpClient(parley.url).post<{ user: { roles: string[] } }>('/api/v1/auth/login', {
    identifier: 'root@example.com',
    password,
  });
  expect([status, body.user.roles]).toEqual([200, ['user', 'admin']]);
  await expect(createAdmin('root@example.com')).rejects.toMatchObject({ code: 'already_exists' });
  expect(await createAdmin('nobody at all')).toBe(2);
});

it('parley verify --audit says whether the audit log is whole', async () => {
  await createAdmin('second@example.com');
  expect(await verifyAudit()).toBe(0);
  expect(printed.at(-1)).toMatchObject({ ok: true, checked: 2 });
  await query(`UPDATE audit_head SET entries = 1`, [], parley.databaseUrl);
  expect(await verifyAudit()).toBe(1);
  expect(printed.at(-1)).toMatchObject({ ok: false, fault: 'end' });
});
