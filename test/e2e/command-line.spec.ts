import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HttpClient } from '../support/http-client.js';
import { freePort, root, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

const SETUP_TOKEN = 'setup-token-of-the-command-line-test-0123456789';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServerProcess({ DATA_DIR: folder.path, SETUP_TOKEN, HEALTH_PROBE_TOKEN: 'p'.repeat(32) });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const cli = join(root, 'dist/cli.js');
const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}
function parley(args: string[], env: Record<string, string> = {}): Promise<Said> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...args],
      { cwd: root, env: { ...environment, ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe('parley verify --url', () => {
  interface Verdict {
    ok: boolean;
    checks: { check: string; result: string; finding: string }[];
  }
  const verify = async (...args: string[]) => {
    const { code, stdout } = await parley(['verify', '--json', ...args], { HEALTH_PROBE_TOKEN: 'p'.repeat(32) });
    return { code, ...(JSON.parse(stdout) as Verdict) };
  };
  const named = (checks: Verdict['checks'], result: string) =>
    checks.filter((check) => check.result === result).map(({ check }) => check);

  it('makes every named check, and leaves nobody behind', async () => {
    const { code, ok, checks } = await verify('--url', server.url);
    expect(checks.filter(({ result }) => result === 'failed')).toEqual([]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(named(checks, 'ok')).toEqual([
      'health',
      'database',
      'storage, queue and bus',
      'work',
      'errors',
      'accounts',
      'endpoints',
      'messages',
      'sockets',
      'files',
      'notifications',
    ]);
    const admin = await adminToken();
    const people = await fetch(`${server.url}/api/v1/admin/users?query=parley-verify`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    expect(JSON.stringify(await people.json())).not.toContain('parley-verify');
  });

  it('--production: what is fine at home is named when it is not fine outside', async () => {
    const { code, checks } = await verify('--url', server.url, '--production');
    expect(code).toBe(1);
    expect(named(checks, 'failed')).toEqual(['exposure']);
  });

  it('nobody there: each check says so, exit 1; no address: exit 2', async () => {
    const { code, checks } = await verify('--url', `http://127.0.0.1:${await freePort()}`);
    expect(code).toBe(1);
    expect(named(checks, 'failed')).toContain('health');
    expect(checks[0]?.finding).toContain('ECONNREFUSED');
    expect(await parley(['verify', '--url', 'chat.example.com'])).toMatchObject({ code: 2 });
  });
});

it('parley seed demo: people who can sign in and what they wrote; again, it is the same', async () => {
  const password = 'look around a while';
  const plant = (...args: string[]) => parley(['seed', 'demo', '--json', '--url', server.url, ...args]);
  const first = await plant('--password', password);
  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({
    people: expect.arrayContaining(['ada@demo.example']),
    messages: 10,
  });
  expect(await plant('--password', password)).toMatchObject({ code: 0, stdout: first.stdout });
  const { body: signedIn } = await new HttpClient(server.url).post<{ tokens: { accessToken: string } }>(
    '/api/v1/auth/login',
    { identifier: 'ada@demo.example', password },
  );
  const ada = new HttpClient(server.url, signedIn.tokens.accessToken);
  const { body } = await ada.get<{ items: { id: string; title: string | null }[] }>('/api/v1/conversations');
  expect(new Set(body.items.map(({ title }) => title))).toEqual(new Set(['Garden club', null]));
  expect(body.items).toHaveLength(2);
  const club = body.items.find(({ title }) => title !== null);
  const history = await ada.get<{ items: { body: string | null }[] }>(`/api/v1/conversations/${club?.id}/messages`);
  expect(history.body.items.filter(({ body: text }) => text !== null)).toHaveLength(5);

  expect(await plant('--password', 'another password')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('with another password'),
  });
  expect(await plant()).toMatchObject({ code: 2 });
  expect(await parley(['seed', 'demo', '--url', 'https://chat.example.com', '--password', password])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes-i-mean-it'),
  });
});

it('parley loadtest: figures, targets, a stored report; the people are gone afterwards', async () => {
  const token = await adminToken();
  const name = `run ${randomUUID()}`;
  const small = ['--url', server.url, '--pairs', '2', '--rate', '10', '--seconds', '1', '--name', name, '--json'];
  const { stdout, stderr } = await parley(['loadtest', ...small], { PARLEY_TOKEN: token });
  const { stored, summary } = JSON.parse(stdout) as { stored: string; summary: Record<string, number | object> };
  expect(summary).toMatchObject({ pairs: 2, rate: 10, errors: { lost: 0, doubled: 0, misrouted: 0, failures: 0 } });
  expect(summary).toMatchObject({ dropped: 0, databaseErrors: 0 });
  for (const figure of ['p50', 'p95', 'p99', 'average', 'deviation', 'errorRate', 'databaseP95'])
    expect(summary[figure]).toEqual(expect.any(Number));
  expect(stderr).toContain('erasing 4 people');
  const report = await fetch(`${server.url}/api/v1/system-health/load-test-reports/${stored}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await report.json()).toMatchObject({ name, summary });
  expect(await parley(['loadtest', '--url', server.url, '--pairs', 'many'])).toMatchObject({ code: 2 });
});

describe('parley chat', () => {
  interface Event {
    event: string;
    text: string;
    body?: string;
  }
  /** One person at a terminal that is a pipe; `until` reads on to the event that fits. */
  function enter(name: string) {
    const child: ChildProcess = spawn(process.execPath, [cli, 'chat', '--url', server.url, '--name', name, '--json'], {
      cwd: root,
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (!child.stdout || !child.stdin) throw new Error('no pipes');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const until = async (fits: (event: Event) => boolean): Promise<Event> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${name} has left`);
        const event = JSON.parse(value) as Event;
        if (fits(event)) return event;
      }
    };
    const type = (line: string): void => void child.stdin?.write(`${line}\n`);
    const left = new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { until, type, left };
  }
  const isEvent = (event: string) => (one: Event) => one.event === event;

  it('two terminals talk to each other', async () => {
    const ada = enter('Ada');
    const ben = enter('Ben');
    const { text } = await ben.until(isEvent('signed-in'));
    const [, benId = ''] = /, ([0-9a-f-]{36})\./.exec(text) ?? [];
    await ada.until(isEvent('signed-in'));
    ada.type(`/with ${benId}`);
    await ada.until(isEvent('opened'));
    ada.type('Hello Ben!');
    expect(await ben.until(isEvent('message'))).toMatchObject({
      body: 'Hello Ben!',
      text: expect.stringContaining('Ada'),
    });
    ben.type('Hello Ada!');
    expect(await ada.until(isEvent('message'))).toMatchObject({ body: 'Hello Ada!' });
    for (const person of [ada, ben]) {
      person.type('/quit');
      expect(await person.left).toBe(0);
    }
  });

  it('nobody there: one line that says what to do', async () => {
    const said = await parley(['chat', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(said).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Is Parley running? npm start'),
    });
  });
});

it('a boot says what operators look for in the log', async () => {
  for (const line of [
    'DATABASE INITIALIZATION COMPLETED - SCHEMA IS READY',
    'ALL SERVICES INITIALIZED SUCCESSFULLY',
    'APPLICATION STARTUP COMPLETED SUCCESSFULLY',
    `Server listening on port ${server.port}`,
    'Application is ready to serve requests',
  ])
    expect(server.output()).toContain(line);
  expect(server.output()).not.toMatch(/"level":"(error|fatal)"/);

  const away = await startServerProcess(
    {
      NODE_ENV: 'production',
      APP_SECRET: 's'.repeat(32),
      DATABASE_URL: `postgresql://nobody:hunter2@127.0.0.1:${await freePort()}/parley`,
      BOOT_DEADLINE: '1',
      BOOT_FAIL_HOLD_MS: '0',
    },
    { waitUntilReady: false },
  );
  expect(await away.exited).toBe(11);
  expect(away.output()).toContain('CRITICAL: DATABASE INITIALIZATION FAILED');
  expect(away.output()).toContain('PRODUCTION MODE: Exiting due to database failure');
  expect(away.output()).not.toContain('hunter2');
});

it('parley db migrate says that it went well, in the words that are looked for', async () => {
  const other = await temporaryFolder();
  try {
    const { code, stdout, stderr } = await parley(['db', 'migrate'], { DATA_DIR: other.path });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('All tables verified') });
    expect(stderr).toContain('migrate deploy succeeded');
    expect(stderr).toContain('No P3009 errors');
  } finally {
    await other.remove();
  }
});

it('parley config print: values with their source, secrets hidden', async () => {
  const secret = 'z'.repeat(40);
  const { stdout, code } = await parley(['config', 'print', '--json'], { APP_SECRET: secret, PORT: '8080' });
  const printed = JSON.parse(stdout) as { name: string; value: unknown; source: string }[];
  expect(code).toBe(0);
  expect(printed).toContainEqual({ name: 'PORT', value: 8080, source: 'environment' });
  expect(printed).toContainEqual({ name: 'APP_SECRET', value: '(hidden)', source: 'environment' });
  expect(printed).toContainEqual({ name: 'DB_POOL_MAX', value: 10, source: 'default' });
  expect(stdout).not.toContain(secret);
});

it('parley config export: what is set, in the form in which it is set; secrets by name alone', async () => {
  const secret = 'z'.repeat(40);
  const { stdout } = await parley(['config', 'export'], { APP_SECRET: secret, PORT: '8080', RATE_SEND: '5/1/20' });
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['PORT=8080', 'RATE_SEND=5/1/20', '# APP_SECRET=']));
  expect(stdout).not.toContain(secret);
  expect(stdout).not.toContain('DB_POOL_MAX');
});

it('parley --help: every command; colours only where they are wanted', async () => {
  const { stdout, code } = await parley(['--help']);
  expect(code).toBe(0);
  for (const name of ['start', 'db migrate', 'verify', 'doctor', 'loadtest', 'chat'])
    expect(stdout).toContain(`  ${name} `);
  expect(stdout).not.toContain('\u001B[');
  expect((await parley(['--help'], { FORCE_COLOR: '1' })).stdout).toContain('\u001B[');
  expect((await parley(['--help'], { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain('\u001B[');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(140);
});

it.each([
  [['chta'], 'there is no command "chta", did you mean "chat"; parley --help lists them'],
  [['db', 'stauts'], 'there is no command "db stauts", did you mean "db status"; parley --help lists them'],
  [['config', 'pritn'], 'there is no command "config pritn", did you mean "config print"; parley config --help'],
  [['frobnicate'], 'there is no command "frobnicate"; parley --help lists them'],
])('a mistyped command: %j', async (args, said) => {
  expect(await parley(args)).toEqual({ code: 2, stdout: '', stderr: `parley: ${said}\n` });
});

it('a mistyped option: the nearest one is named', async () => {
  const { code, stderr } = await parley(['chat', '--nmae', 'Ada']);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: 'parley chat: there is no option --nmae, did you mean --name\n',
  });
});

let admin: Promise<string> | undefined;
/** The first admin, made by the one-time token. */
const adminToken = (): Promise<string> =>
  (admin ??= fetch(`${server.url}/api/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      setupToken: SETUP_TOKEN,
      identifier: 'admin@example.com',
      password: 'correct horse battery',
      displayName: 'Admin',
    }),
  }).then(async (response) => ((await response.json()) as { tokens: { accessToken: string } }).tokens.accessToken));
