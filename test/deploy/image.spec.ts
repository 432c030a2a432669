import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './support/files.js';
import { startServer, type TestServer } from '../support/postgres.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

it('the steps of the Dockerfile make an image that boots read-only, as PID 1, as nobody special, and stops on SIGTERM', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'scripts/docker-dry-run.mjs'), '--reuse-packages'],
    { cwd: root, env: { ...process.env, DATABASE_URL: server.url }, timeout: 280_000, maxBuffer: 1e8 },
  );
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, number | boolean>;
  const isRoot = process.getuid?.() === 0;
  expect(report).toMatchObject({
    uid: isRoot ? 1000 : process.getuid?.(),
    pid: 1,
    writes: false,
    healthy: true,
    exitCode: 0,
  });
  expect(report['bytes']).toBeLessThan(80e6);
});
