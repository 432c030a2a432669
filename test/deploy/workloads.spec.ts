import { loadConfig } from '../../src/platform/config/config.js';
import { settings } from '../../src/platform/config/settings.js';
import { HARD_LIMIT_MS } from '../../src/platform/lifecycle/stop-signals.js';
import { json, text } from './support/files.js';
import { railway, servers, type Workload, workloads } from './support/workloads.js';

const { paths } = json('docs/openapi.json') as { paths: Record<string, { get?: unknown }> };
const { version } = json('package.json') as { version: string };

/** What a secret made as documented holds. */
const secretValues: Record<string, string> = {
  APP_SECRET: 'x'.repeat(32),
  DATABASE_URL: 'postgresql://parley@db/parley',
  METRICS_TOKEN: 'y'.repeat(32),
};
const environmentOf = ({ env, secrets }: Workload): Record<string, string> => ({
  ...env,
  ...Object.fromEntries(secrets.map((name) => [name, secretValues[name] ?? ''])),
});
const named = (list: Workload[]) => list.map((workload) => [workload.source, workload] as const);

it('covers every target', () => {
  expect(workloads.map(({ source }) => source)).toEqual([
    'compose single',
    'compose parley',
    'kubernetes base Deployment',
    'kubernetes overlays/single Deployment',
    'kubernetes overlays/eks Deployment',
    'kubernetes overlays/eks/migrate Job',
    'helm Deployment',
    'helm Job',
    'ecs',
  ]);
});

describe.each(named(workloads))('%s', (_, workload) => {
  it('sets only variables that Parley reads, and enough of them to boot in production', async () => {
    const environment = environmentOf(workload);
    for (const name of Object.keys(environment)) expect(Object.keys(settings)).toContain(name.replace(/_FILE$/, ''));
    const fromStore = (path: string) => Promise.resolve(path.endsWith('REDIS_URL') ? 'rediss://redis:6379' : 'value');
    const config = await loadConfig(environment, fromStore);
    expect(config).toMatchObject({ isProduction: true, warnings: [] });
  });

  it('runs a pinned image of this version, as nobody special, on a root it cannot write', () => {
    expect(workload.image).toMatch(new RegExp(`parley:${version.replaceAll('.', '\\.')}$`));
    expect(workload.user).toMatch(/^(node|1000(:1000)?)$/);
    expect(workload.readOnlyRoot).toBe(true);
    for (const word of workload.command ?? []) expect(word).not.toBe('npm');
  });

  it('waits longer for the end than the process takes', () => {
    expect(workload.graceSeconds - workload.preStopSeconds).toBeGreaterThan(HARD_LIMIT_MS / 1000);
  });
});

describe.each(named(servers))('%s as a server', (_, workload) => {
  it('asks routes that exist, on the port where the process listens', () => {
    expect(workload.probes.length).toBeGreaterThan(0);
    for (const { path, port } of workload.probes) {
      expect(paths[path]?.get).toBeDefined();
      expect(port).toBe(workload.port);
    }
    expect(workload.env['PORT']).toBe(String(workload.port));
  });
});

it('railway.json: the platform polls readiness, and waits longer than the process takes', () => {
  expect(paths[railway.deploy.healthcheckPath]?.get).toBeDefined();
  expect(railway.deploy).toMatchObject({
    healthcheckPath: '/ready',
    healthcheckTimeout: 300,
    restartPolicyMaxRetries: 10,
  });
  expect(railway.deploy.drainingSeconds).toBeGreaterThan(HARD_LIMIT_MS / 1000);
  expect(text(railway.build.dockerfilePath)).toContain('FROM ');
});

it('.env.example names only variables that Parley reads, and leaves every one of them out', () => {
  for (const line of text('.env.example').split('\n').filter(Boolean)) {
    expect(line).toMatch(/^#/);
    const [, name] = /^# ([A-Z0-9_]+)=/.exec(line) ?? [];
    if (name) expect(Object.keys(settings)).toContain(name);
  }
});
