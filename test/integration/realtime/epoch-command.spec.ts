import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { root } from '../../support/server-process.js';

const run = promisify(execFile);
let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());

const bump = (...args: string[]) =>
  run(process.execPath, [join(root, 'dist/cli.js'), 'epoch', 'bump', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], DATABASE_URL: app.databaseUrl, APP_SECRET: 'x'.repeat(32), NODE_ENV: 'test' },
  });
const stored = async () =>
  (await query<{ epoch: string; reason: string }>('SELECT epoch, reason FROM server_epoch', [], app.databaseUrl))[0];

describe('parley epoch bump', () => {
  it('asks first, and changes nothing where nobody can answer', async () => {
    const before = await stored();
    await expect(bump()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes-i-mean-it') as string,
    });
    expect(await stored()).toEqual(before);
  });

  it('gives the database another identity, with the reason', async () => {
    const before = await stored();
    const { stdout } = await bump('--yes-i-mean-it', '--reason', 'failover to db2', '--json');
    const { epoch } = JSON.parse(stdout) as { epoch: string };
    expect(epoch).not.toBe(before?.epoch);
    expect(await stored()).toEqual({ epoch, reason: 'failover to db2' });
  });
});
