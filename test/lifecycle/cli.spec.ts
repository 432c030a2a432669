import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { commands } from '../../src/cli/commands.js';
import { statements } from '../../src/platform/database/lifecycle/sql-lexer.js';
import { root } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { throughProxy, upstreamOf } from './support/proxy.js';
import { databaseUrl, DURABILITY_OFF, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let folder: string;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
  folder = await mkdtemp(join(tmpdir(), 'parley-cli-'));
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  scene = await world.database();
});

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

const environmentOf = (environment: Record<string, string>): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  DATABASE_URL: scene.url,
  DATA_DIR: folder,
  APP_SECRET: 'cli-secret-cli-secret-cli-secret-cli-secret',
  ...environment,
});

/** On a terminal of its own: what stands on it in the end, when `answer` was typed. `script` is part of every Debian. */
async function onTerminal(args: string, answer: string): Promise<string> {
  const command = `'${process.execPath}' '${join(root, 'dist/cli.js')}' ${args}`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environmentOf({}), cwd: root });
  let text = '';
  terminal.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (chunk.includes('Type yes: ')) terminal.stdin.write(`${answer}\n`);
  });
  await once(terminal, 'close');
  return text;
}

/** The built command line as an operator in the image runs it; no terminal is attached. */
function parley(args: string, environment: Record<string, string> = {}): Promise<Said> {
  const env = environmentOf(environment);
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'dist/cli.js'), ...args.split(' ')], { env, cwd: root }, (error, ...said) =>
      resolve({ code: Number(error?.code ?? 0), stdout: said[0], stderr: said[1] }),
    );
  });
}

const parsed = <T>({ stdout }: Said): T => JSON.parse(stdout) as T;

it('status, plan, migrate, verify: what is pending, the progress of it, and then nothing', async () => {
  const pending = await parley('db status');
  expect(pending).toMatchObject({ code: 3, stdout: expect.stringMatching(/^pending +\d{14}_platform/m) });
  const planned = await parley('db plan --json');
  expect(planned.code).toBe(3);
  const { files } = parsed<{ files: { name: string }[] }>(planned);
  expect(files.length).toBeGreaterThan(5);
  expect(await scene.sql("SELECT to_regnamespace('lifecycle') AS s")).toEqual([{ s: null }]);

  const migrated = await parley('migrate');
  expect(migrated).toMatchObject({ code: 0, stdout: expect.stringContaining(`Applied ${files.length}: `) });
  expect(migrated.stderr).toContain(`[1/${files.length}] ${files[0]?.name} applied in`);
  expect(await parley('db status')).toMatchObject({ code: 0, stdout: expect.stringContaining('up to date') });
  expect(await parley('db plan')).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' });
  expect(await parley('db verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('All tables verified') });
  expect(parsed<{ upToDate: boolean }>(await parley('db status --json')).upToDate).toBe(true);
  await scene.sql(
    "INSERT INTO roles (id, name, description) SELECT gen_random_uuid(), 'guest' || n, '' FROM generate_series(1, 20) n",
  );
  const counted = parsed<{ rows: { table: string; before: number; after: number }[] }>(
    await parley('db migrate --count-rows --json'),
  );
  const [roles] = await scene.sql<{ n: number }>('SELECT count(*)::int AS n FROM roles');
  expect(counted.rows).toContainEqual({ table: 'roles', before: roles?.n, after: roles?.n });
});

it('script: what it prints makes the whole schema of an empty database, twice as well as once; seeds come after', async () => {
  expect(await parley('db seed')).toMatchObject({ code: 19, stderr: expect.stringContaining('parley db migrate') });
  await scene.sql('DROP SCHEMA lifecycle CASCADE');
  const { code, stdout } = await parley('db script', { DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d' });
  expect(code).toBe(0);
  const client = new Client({ connectionString: scene.url });
  await client.connect();
  for (const { text } of [...statements(stdout), ...statements(stdout)]) await client.query(text);
  await client.end();
  const { migrations, seeds } = parsed<{ migrations: { state: string }[]; seeds: { due: boolean }[] }>(
    await parley('db status --json'),
  );
  expect(migrations.filter(({ state }) => state !== 'applied')).toEqual([]);
  expect(await scene.history()).toHaveLength(migrations.length);
  expect(seeds.every(({ due }) => due)).toBe(true);

  expect(await parley('db seed')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Seeded: /) });
  expect((await parley('db status')).code).toBe(0);
  expect(await parley('db verify')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^All tables verified/) });
  expect(await parley('seed')).toMatchObject({ code: 0, stdout: 'No seed was due.\n' });
});

it('reset: a development database on this machine only, and only when it is meant', async () => {
  await parley('db migrate');
  await scene.sql('CREATE TABLE mine (id integer)');
  const refused = await parley('db reset --yes-i-mean-it', { NODE_ENV: 'production' });
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('refused') });
  const elsewhere = { DATABASE_URL: 'postgresql://u:p@db.example.com/d' };
  expect(await parley('db reset --yes-i-mean-it', elsewhere)).toMatchObject({
    code: 10,
    stderr: expect.stringContaining('never reset'),
  });
  expect(await parley('db reset')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes-i-mean-it') });
  expect(await scene.sql("SELECT to_regclass('mine') IS NULL AS gone")).toEqual([{ gone: false }]);
  expect(await parley('db reset --yes-i-mean-it')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Made anew/),
  });
  expect(await scene.sql("SELECT to_regclass('mine') IS NULL AS gone")).toEqual([{ gone: true }]);
  expect((await parley('db status')).code).toBe(0);
});

it('repair: says what is missing, brings it back, then finds nothing; a changed schema is exit 3', async () => {
  await parley('db migrate');
  await scene.sql('ALTER TABLE users DROP COLUMN display_name CASCADE');
  const verified = await parley('db verify');
  expect(verified).toMatchObject({ code: 3, stdout: expect.stringContaining('display_name') });
  expect((await parley('db repair --dry-run')).stdout).toContain('display_name');
  expect((await parley('db repair --sql')).stdout).toContain('ADD COLUMN IF NOT EXISTS');
  expect((await parley('db verify')).code).toBe(3);
  expect(await parley('db repair')).toMatchObject({ code: 0, stdout: expect.stringContaining('statements run') });
  expect(await parley('db repair')).toMatchObject({ code: 0, stdout: 'Nothing was missing.\n' });
  expect((await parley('db verify')).code).toBe(0);
});

it('adopt: a schema without history is baselined when equal; vouching for it asks, and is refused without the flag', async () => {
  await parley('db migrate');
  await scene.sql('DROP TABLE _prisma_migrations; DROP SCHEMA lifecycle CASCADE');
  expect(await parley('db migrate')).toMatchObject({ code: 19, stderr: expect.stringContaining('parley db adopt') });
  const at = '--at 20261121000900_operations';
  for (const NODE_ENV of ['development', 'production']) {
    const refused = await parley(`db adopt ${at}`, { NODE_ENV });
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes-i-mean-it') });
  }
  expect((await parley('db adopt --dry-run')).stdout).toContain('Would record');
  expect(await scene.sql("SELECT to_regclass('_prisma_migrations') AS t")).toEqual([{ t: null }]);
  expect(await parley('db adopt')).toMatchObject({ code: 0, stdout: expect.stringContaining('Recorded') });
  expect((await parley('db migrate')).code).toBe(0);
});

it('on a terminal: progress as it goes, and a question that only "yes" answers', async () => {
  expect(await onTerminal('db migrate', '')).toMatch(
    /\[1\/\d+\] \d{14}_platform \.\.\.\r\n\[1\/\d+\] \d{14}_platform applied in /,
  );
  await scene.sql('DROP TABLE _prisma_migrations; CREATE TABLE stranger (id integer)');
  const vouch = 'db adopt --at 20261121000900_operations';
  expect(await onTerminal(vouch, 'no')).toContain('Nothing was changed.');
  expect(await scene.sql("SELECT to_regclass('_prisma_migrations') AS t")).toEqual([{ t: null }]);
  expect(await onTerminal(vouch, 'yes')).toContain('Recorded');
});

it('resolve: takes exactly one decision about a migration that exists', async () => {
  await parley('db migrate');
  const name = '20261121000900_operations';
  expect((await parley('db resolve')).code).toBe(2);
  expect((await parley(`db resolve --applied ${name} --retry ${name}`)).code).toBe(2);
  expect((await parley('db resolve --applied 20000101000000_nothing')).stderr).toContain('P3017');
  expect((await parley(`db resolve --applied ${name}`)).stderr).toContain('P3008');
  await scene.sql(`UPDATE _prisma_migrations SET checksum = repeat('0', 64) WHERE migration_name = '${name}'`);
  expect(await parley('db migrate')).toMatchObject({ code: 14, stderr: expect.stringContaining(name) });
  expect((await parley(`db resolve --accept-checksum ${name}`)).code).toBe(0);
  expect((await parley('db status')).code).toBe(0);
});

it('backup and restore: into an empty database only, and only when it is meant', async () => {
  await parley('db migrate');
  const file = join(folder, 'one.backup');
  expect((await parley('backup')).code).toBe(2);
  expect((await parley(`backup --out ${join(folder, 'no/such/folder/x')}`)).code).toBe(30);
  expect(await parley(`backup --out ${file}`)).toMatchObject({ code: 0, stdout: expect.stringContaining(file) });
  expect((await parley('backup --record-only')).code).toBe(0);
  const recorded = await scene.sql(
    `SELECT detail->'elsewhere' AS elsewhere FROM lifecycle.audit WHERE action = 'backup.taken' ORDER BY id`,
  );
  expect(recorded).toEqual([{ elsewhere: null }, { elsewhere: true }]);
  const target = await world.database();
  await target.sql('DROP SCHEMA ledger CASCADE');
  const into = { DATABASE_URL: target.url };
  for (const NODE_ENV of ['development', 'production']) {
    expect(await parley(`restore --in ${file}`, { ...into, NODE_ENV })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes-i-mean-it'),
    });
  }
  expect((await parley(`restore --in ${file} --yes-i-mean-it`, into)).code).toBe(0);
  expect((await parley('db verify', into)).code).toBe(0);
  expect((await parley(`restore --in ${file} --yes-i-mean-it`, into)).code).toBe(31);
});

it.each(commands.map(({ name }) => name))('%s --help explains itself and connects to nothing', async (name) => {
  const { code, stdout, stderr } = await parley(`${name} --help`, { DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`parley ${name}`);
  if (/^(db|doctor|backup|restore)/.test(name)) expect(stdout).toContain('Examples:');
});

it('db before a command that needs none is no mistake', async () => {
  expect(await parley('db backup --help')).toMatchObject({ code: 0, stdout: expect.stringContaining('parley backup') });
});

it('a reader that has seen enough is no fault', async () => {
  const command = `'${process.execPath}' '${join(root, 'dist/cli.js')}' db script | head -n 1`;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { env: environmentOf({}), cwd: root });
  expect({ lines: stdout.split('\n').length, stderr }).toEqual({ lines: 2, stderr: '' });
});

it('what it does not know is exit 2', async () => {
  expect(await parley('db destroy')).toMatchObject({ code: 2 });
  expect(await parley('nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining('--help') });
  expect(await parley('db status --loud')).toMatchObject({ code: 2, stderr: expect.stringContaining('--loud') });
});

describe('doctor', () => {
  interface Finding {
    check: string;
    result: string;
    message: string;
    next: string;
  }
  const connection = async (url: string): Promise<Finding | undefined> => {
    const said = await parley('doctor --json', { DATABASE_URL: url });
    expect(said.code).toBe(3);
    return parsed<Finding[]>(said).find(({ result }) => result === 'failed');
  };
  const as = (user: string, password: string): string => {
    const url = new URL(scene.url);
    Object.assign(url, { username: user, password });
    return url.href;
  };

  it('tells refused, timeout, wrong password, missing database, TLS and rights apart, each with the next step', async () => {
    const proxy = await TcpProxy.start(upstreamOf(scene.url));
    const byProxy = throughProxy(scene.url, proxy);
    expect(await connection(`${byProxy}?sslmode=require`)).toMatchObject({ message: expect.stringMatching(/tls/i) });
    proxy.set('blackhole');
    expect(await connection(byProxy)).toMatchObject({ message: expect.stringMatching(/timeout/) });
    await proxy.stop();
    expect(await connection(byProxy)).toMatchObject({ message: expect.stringMatching(/refused/) });
    const wrong = await connection(as('parley', 'canary-pw'));
    expect(wrong).toMatchObject({ message: expect.stringMatching(/auth/), next: expect.stringMatching(/./) });
    expect(JSON.stringify(wrong)).not.toContain('canary-pw');
    expect(await connection(databaseUrl(scene.url, 'nowhere'))).toMatchObject({
      next: expect.stringContaining('CREATE DATABASE'),
    });
    await world.sql("CREATE ROLE cli_visitor LOGIN PASSWORD 'v'");
    expect(await connection(as('cli_visitor', 'v'))).toMatchObject({
      check: 'rights',
      next: expect.stringContaining('GRANT'),
    });
  });

  it('finds nothing failed in a database that can be used', async () => {
    await parley('db migrate');
    const { code, stdout } = await parley('doctor');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +connection/m);
  });
});
