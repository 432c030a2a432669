import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';
import { root } from '../../support/server-process.js';

let app: TestApp;
let person: Person;
beforeAll(async () => {
  app = await createTestApp();
  person = await register(app.url);
});
afterAll(() => app.close());

const run = promisify(execFile);
const parley = async (...args: string[]) => {
  const { stdout } = await run(process.execPath, [join(root, 'dist/cli.js'), ...args, '--json'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: app.databaseUrl,
      APP_SECRET: 'test-secret-test-secret-test-secret-test',
      NODE_ENV: 'test',
    },
  });
  return JSON.parse(stdout) as { kid: string };
};
const kidsOf = async (url: string) =>
  (await new HttpClient(url).get<{ keys: JWK[] }>('/.well-known/jwks.json')).body.keys.map(({ kid }) => kid);

it('keys rotate: a replica that boots next publishes both keys, and tokens stay good', async () => {
  const { kid } = await parley('keys', 'rotate');
  const next = await createTestApp({}, { databaseUrl: app.databaseUrl });
  try {
    expect(await kidsOf(next.url)).toEqual([...(await kidsOf(app.url)).filter((known) => known !== kid), kid]);
    expect((await new HttpClient(next.url, person.accessToken).get('/api/v1/users/me')).status).toBe(200);
  } finally {
    await next.close();
  }
});

it('keys rotate --compromised ends every access token', async () => {
  const { kid } = await parley('keys', 'rotate', '--compromised', '--yes-i-mean-it');
  const next = await createTestApp({}, { databaseUrl: app.databaseUrl });
  try {
    expect(await kidsOf(next.url)).toEqual([kid]);
    expect((await new HttpClient(next.url, person.accessToken).get('/api/v1/users/me')).status).toBe(401);
  } finally {
    await next.close();
  }
});
