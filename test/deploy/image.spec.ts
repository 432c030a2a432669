import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { throughProxy, upstreamOf } from '../lifecycle/support/proxy.js';
import { startServer, type TestServer } from '../support/postgres.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { root } from './support/files.js';

let server: TestServer;
let proxy: TcpProxy;
beforeAll(async () => {
  server = await startServer();
  // The image has a root of its own, where the server's socket file is not.
  proxy = await TcpProxy.start(upstreamOf(server.url));
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

it('the steps of the Dockerfile make an image that boots read-only, as PID 1, as nobody special, and stops on SIGTERM', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'scripts/docker-dry-run.mjs'), '--reuse-packages'],
    {
      cwd: root,
      env: { ...process.env, DATABASE_URL: throughProxy(server.url, proxy) },
      timeout: 280_000,
      maxBuffer: 1e8,
    },
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
