import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './support/files.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const deploy = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'scripts/deploy.mjs'), ...args], { cwd: root, encoding: 'utf8' });
const urls = ['--staging-url', 'http://127.0.0.1:1', '--production-url', 'http://127.0.0.1:1'];

it('production is not touched when staging cannot be verified', () => {
  const [staged, released] = [join(folder, 'staged'), join(folder, 'released')];
  const { status, stdout, stderr } = deploy(
    '--staging',
    `echo $VERSION > ${staged}`,
    '--production',
    `touch ${released}`,
    ...urls,
  );
  expect(status).toBe(1);
  expect(stdout).toContain('✓ deploy to staging');
  expect(stderr).toContain('✗ verify staging failed; nothing after it was done');
  expect([existsSync(staged), existsSync(released)]).toEqual([true, false]);
});

it('staging is not touched when the build fails; what is missing is named', () => {
  const staged = join(folder, 'never');
  expect(deploy('--build', 'exit 3', '--staging', `touch ${staged}`, '--production', 'true', ...urls).status).toBe(1);
  expect(existsSync(staged)).toBe(false);
  expect(deploy('--staging', 'true')).toMatchObject({ status: 2, stderr: expect.stringContaining('--staging-url') });
});
