import { HealthService } from '../../src/modules/operations/health.service.js';
import { BootState } from '../../src/platform/lifecycle/boot-state.js';
import { livePaths, readyPaths, startupPaths } from '../../src/platform/lifecycle/boot-responder.js';
import { type HealthReading, HealthRegistry } from '../../src/platform/lifecycle/health-registry.js';
import { Load } from '../../src/platform/lifecycle/load.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { HttpClient } from '../support/http-client.js';

const detailedPaths = ['/health/detailed', '/api/v1/health/detailed'];
const probe = { authorization: 'Bearer probe-token' };

/** What may take readiness down; everything else only degrades. */
const critical = ['database', 'schema', 'load'];

type Outcome = 'healthy' | 'degraded' | 'unhealthy' | 'throws' | 'hangs';
const outcomes: readonly Outcome[] = ['healthy', 'degraded', 'unhealthy', 'throws', 'hangs'];
const never = new Promise<never>(() => undefined);
const check = (outcome: Outcome): Promise<HealthReading> | HealthReading => {
  if (outcome === 'hangs') return never;
  if (outcome === 'throws') throw new Error('secret of the driver');
  return { state: outcome, observed: { why: outcome } };
};

describe.each(['fail', 'stay'])('probes with READINESS_ON_DB_OUTAGE=%s', (onOutage) => {
  let app: TestApp;
  let api: HttpClient;
  let registry: HealthRegistry;
  let load: Load;
  let boot: BootState;
  /** By component; healthy if not set. */
  const outcome = new Map<string, Outcome>();

  beforeAll(async () => {
    app = await createTestApp({ READINESS_ON_DB_OUTAGE: onOutage, HEALTH_PROBE_TOKEN: 'probe-token' });
    api = new HttpClient(app.url);
    registry = app.app.nest.get(HealthRegistry);
    load = app.app.nest.get(Load);
    boot = app.app.nest.get(BootState);
    for (const component of registry.components) {
      // The wait of a check that hangs is not what is tested here.
      component.timeoutMs = Math.min(component.timeoutMs, 100);
      component.cacheMs = 0;
      component.check = () => check(outcome.get(component.name) ?? 'healthy');
    }
  });
  afterAll(() => app.close());
  beforeEach(() => outcome.clear());

  const expectAll = async (paths: readonly string[], status: number, body: object, headers = {}) => {
    const answers = await Promise.all(paths.map((path) => api.get(path, headers)));
    for (const answer of answers) expect(answer).toMatchObject({ status, body });
    return answers;
  };
  /** Every endpoint, given what readiness should say. */
  async function expectTable(ready: 'ok' | 'degraded' | 'not_ready', component?: string): Promise<void> {
    const status = ready === 'not_ready' ? 503 : 200;
    const found = { ok: 'up', degraded: 'degraded', not_ready: 'down' }[ready];
    const details = component === undefined ? {} : { [component]: { status: found } };
    const readiness = await expectAll(readyPaths, status, { status: ready, phase: 'ready', checks: details });
    for (const { headers } of readiness) expect(headers.has('retry-after')).toBe(status === 503);
    const terminus = ready === 'not_ready' ? 'error' : ready;
    await expectAll(detailedPaths, status, { status: terminus, details }, probe);
    const [word, verdict] = { ok: ['pass', 'pass'], degraded: ['warn', 'warn'], not_ready: ['fail', 'fail'] }[ready];
    const checks = component === undefined ? {} : { [`${component}:state`]: [{ status: verdict }] };
    const accept = { ...probe, accept: 'application/health+json' };
    const answers = await expectAll(detailedPaths, status, { status: word, checks }, accept);
    for (const { body } of answers) expect(JSON.stringify(body)).not.toContain('secret of the driver');
    // Whatever a dependency does, the process lives and has started.
    await expectAll(livePaths, 200, { status: 'ok', phase: 'ready' });
    await expectAll(startupPaths, 200, { status: 'started' });
  }

  it('knows every component, and which of them are critical', () => {
    const names = registry.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['database', 'schema', 'bus', 'sockets', 'load']));
    expect(registry.components.filter((c) => c.critical).map(({ name }) => name)).toEqual(
      expect.arrayContaining(critical),
    );
    expect(registry.components.filter((c) => c.critical)).toHaveLength(critical.length);
  });

  it('a boot in which everything is well', () => expectTable('ok'));

  it.each(outcomes)('any component: %s', async (state) => {
    for (const { name } of registry.components) {
      outcome.clear();
      outcome.set(name, state);
      const stays = name === 'database' && onOutage === 'stay';
      const lowers = critical.includes(name) && !stays && !['healthy', 'degraded'].includes(state);
      await expectTable(lowers ? 'not_ready' : state === 'healthy' ? 'ok' : 'degraded', name);
    }
  });

  it('all that is not critical at once only degrades', async () => {
    for (const { name } of registry.components) if (!critical.includes(name)) outcome.set(name, 'unhealthy');
    await expectTable('degraded');
  });

  it('one success brings readiness back', async () => {
    outcome.set('schema', 'unhealthy');
    await expectTable('not_ready', 'schema');
    outcome.set('schema', 'healthy');
    await expectTable('ok', 'schema');
  });

  it('answers /health from memory: no check is asked', async () => {
    const asked: string[] = [];
    for (const component of registry.components) {
      component.check = () => {
        asked.push(component.name);
        return check(outcome.get(component.name) ?? 'healthy');
      };
    }
    await expectAll([...livePaths, ...startupPaths], 200, {});
    expect(asked).toEqual([]);
    await expectAll(readyPaths.slice(0, 1), 200, {});
    expect(asked).toEqual(registry.components.map(({ name }) => name));
  });

  it('is dead only when the event loop stood still for more than 30 s', async () => {
    load.delay = { p99: 29_000, max: 29_999 };
    await expectAll(livePaths.slice(0, 1), 200, { status: 'ok' });
    load.delay = { p99: 30_001, max: 30_001 };
    expect(app.app.nest.get(HealthService).alive).toBe(false);
    await expectAll(livePaths.slice(0, 1), 503, { status: 'stuck' });
    load.delay = { p99: 0, max: 0 };
  });

  it('leaves the balancer while it drains, and lives', async () => {
    boot.enter('draining');
    await expectAll(readyPaths, 503, { status: 'shutting_down', phase: 'draining' });
    await expectAll(detailedPaths, 503, { status: 'error', phase: 'draining' }, probe);
    await expectAll(livePaths, 200, { status: 'ok', phase: 'draining' });
    await expectAll(startupPaths, 200, { status: 'started' });
    boot.enter('ready');
  });
});
