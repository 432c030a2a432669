import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { newId } from '../../src/platform/clock/clock.js';
import { DatabaseMonitor } from '../../src/platform/database/database-monitor.js';
import { HealthRegistry } from '../../src/platform/lifecycle/health-registry.js';
import { Sampler } from '../../src/modules/operations/sampler.service.js';
import { operator } from '../integration/operations/support.js';
import { throughProxy, upstreamOf } from '../lifecycle/support/proxy.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { query, useDatabase } from '../support/database.js';
import type { Person } from '../support/people.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PICTURES = 'test/.artifacts/ops-page';
const desktop = { width: 1366, height: 900 };
const phone = { width: 390, height: 844 };
const SETTINGS = '/api/v1/system-health/settings';

const database = useDatabase();
let proxy: TcpProxy;
let app: TestApp;
let admin: Person;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  proxy = await TcpProxy.start(upstreamOf(database.url));
  const databaseUrl = throughProxy(database.url, proxy);
  app = await createTestApp({ BUS_DRIVER: 'memory' }, { databaseUrl });
  admin = await operator(app);
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  for (let i = 0; i < 3; i++) await app.app.nest.get(Sampler).sample();
  for (const [name, p95] of Object.entries({ before: 140, after: 90 })) await storeReport(name, p95);
});
afterAll(async () => {
  await browser.close();
  await app.close();
  await proxy.stop();
});

async function storeReport(name: string, p95: number): Promise<void> {
  const at = new Date().toISOString();
  const report = {
    name,
    scenario: 'rooms',
    version: '1',
    startedAt: at,
    finishedAt: at,
    summary: { p95, errorRate: 0 },
  };
  expect((await admin.post('/api/v1/system-health/load-test-reports', report)).status).toBe(201);
}

interface Visit {
  page: Page;
  faults: string[];
  hosts: Set<string>;
}

async function visit(options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: desktop, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`${app.url}/ops`);
  return { page, faults, hosts };
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('E-mail address or name').fill(admin.identifier);
  await page.getByLabel('Password').fill(admin.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('listitem').filter({ hasText: 'Latency p95' }).waitFor();
}

async function open(options?: BrowserContextOptions): Promise<Visit> {
  const visitor = await visit(options);
  await signIn(visitor.page);
  return visitor;
}

const status = (page: Page, title: string) => page.getByRole('heading', { name: title, exact: true }).waitFor();
const leave = ({ page }: Visit) => page.context().close();

/** Everything axe finds wrong, by rule and element. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as axe.AxeResults;
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`));
}

it('is for those who sign in; the sign-in is kept in the tab alone and ends with it', async () => {
  const visitor = await visit();
  const { page } = visitor;
  await page.getByLabel('E-mail address or name').fill(admin.identifier);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  expect(await violations(page)).toEqual([]);
  await signIn(page);
  await page.reload();
  await status(page, 'All is well');
  expect(await page.evaluate('JSON.stringify({ ...localStorage }) + document.cookie')).not.toContain('ey');
  expect(await page.evaluate('sessionStorage.length')).toBe(1);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  await leave(visitor);
});

it('shows every part, asks nobody else, and is small', async () => {
  const context = await browser.newContext({ viewport: desktop });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  const files = new Map<string, string>();
  let bytes = 0;
  devtools.on('Network.responseReceived', ({ requestId, response }) => files.set(requestId, response.url));
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!files.get(requestId)?.includes('/api/')) bytes += encodedDataLength;
  });
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`${app.url}/ops`);
  await signIn(page);
  const titles = [
    'The last 90 days',
    'Dependencies',
    'Boot',
    'Sockets',
    'Replicas',
    'Queues',
    'Jobs',
    'Database',
    'Error fingerprints',
    'Rate-limit violations',
    'Load tests',
    'Audit log',
    'Thresholds and retention',
  ];
  for (const title of titles) await page.getByRole('heading', { name: title, exact: true }).waitFor();
  await page.getByRole('group', { name: 'Comparison of two load tests' }).getByText('-35.7 %').waitFor();
  expect(await page.getByRole('list', { name: 'Figures and their thresholds' }).getByRole('listitem').count()).toBe(8);
  expect([...hosts]).toEqual([new URL(app.url).host]);
  expect(bytes).toBeLessThan(60_000);
  await context.close();
});

it.each([
  ['desktop-light', desktop, 'light'],
  ['desktop-dark', desktop, 'dark'],
  ['phone-light', phone, 'light'],
  ['phone-dark', phone, 'dark'],
] as const)('is legible and accessible: %s', async (name, viewport, colorScheme) => {
  const visitor = await open({ viewport, colorScheme, reducedMotion: 'reduce' });
  const { page, faults } = visitor;
  await status(page, 'All is well');
  await page.getByRole('group', { name: 'Comparison of two load tests' }).waitFor();
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(faults).toEqual([]);
  await leave(visitor);
});

it('is used by keyboard alone', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const tabTo = async (test: string) => {
    for (
      let i = 0;
      i < 80 && !(await page.evaluate(`Boolean(document.activeElement?.matches(${JSON.stringify(test)}))`));
      i++
    )
      await page.keyboard.press('Tab');
    expect(await page.evaluate(`document.activeElement.matches(${JSON.stringify(test)})`)).toBe(true);
  };
  await tabTo('[name=identifier]');
  await page.keyboard.type(admin.identifier);
  await tabTo('[name=password]');
  await page.keyboard.type(admin.password);
  await page.keyboard.press('Enter');
  await status(page, 'All is well');
  await page.locator('input[name="cpuUsage.warning"]').waitFor();
  await tabTo('a[href="#settings"]');
  await page.keyboard.press('Enter');
  await tabTo('input[name="cpuUsage.warning"]');
  await page.keyboard.type('61');
  const saved = page.waitForResponse(
    (response) => response.url().endsWith(SETTINGS) && response.request().method() === 'PUT',
  );
  await page.keyboard.press('Enter');
  expect((await saved).status()).toBe(200);
  expect((await admin.get(SETTINGS)).body).toMatchObject({ thresholds: { cpuUsage: { warning: 61 } } });
  await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor({ state: 'attached' });
  await leave(visitor);
});

it('overwrites no settings that somebody else has saved meanwhile', async () => {
  const visitor = await open();
  const { page } = visitor;
  await page.locator('input[name="latency.warning"]').fill('450');
  await admin.patch(SETTINGS, { metricsRetentionDays: 9 }, { 'if-match': '*' });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'Somebody else' }).waitFor();
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.waitForFunction(`document.querySelector('input[name="metricsRetentionDays"]')?.value === '9'`);
  expect(await page.locator('input[name="latency.warning"]').inputValue()).toBe('500');
  await leave(visitor);
});

it('puts dead letters back to work, and throws them away when sure', async () => {
  const letter = (topic: string) =>
    query(
      `INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts) VALUES ($1, 'outbox', $2, $3, 'Error: gone', 10)`,
      [newId(), topic, JSON.stringify({ key: 'k', payload: {} })],
      database.url,
    );
  await letter('test.replayed');
  await letter('test.deleted');
  const visitor = await open();
  const { page } = visitor;
  await page.getByRole('button', { name: 'Replay test.replayed' }).click();
  await page.getByRole('button', { name: 'Replay test.replayed' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Delete test.deleted' }).click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Delete test.deleted' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nothing was given up.').waitFor();
  const left = await query<{ waiting: boolean }>(
    'SELECT topic, replayed_at IS NULL AS waiting FROM dead_letters',
    [],
    database.url,
  );
  expect(left.filter(({ waiting }) => waiting)).toEqual([]);
  await leave(visitor);
});

it('is live: what happens is shown, and said', async () => {
  const visitor = await open();
  const { page } = visitor;
  await status(page, 'All is well');
  const storage = app.app.nest.get(HealthRegistry).components.find(({ name }) => name === 'storage');
  if (!storage) throw new Error('there is no storage');
  const { cacheMs } = storage;
  const check = storage.check.bind(storage);
  Object.assign(storage, { cacheMs: 0, check: () => ({ state: 'degraded' }) });
  await status(page, 'Working, with something missing');
  await page.getByText('storage is degraded').waitFor();
  await page.getByRole('status').filter({ hasText: 'Working, with something missing' }).waitFor({ state: 'attached' });
  Object.assign(storage, { check, cacheMs });
  await status(page, 'All is well');
  await leave(visitor);
});

it('works while the database is down, with the last figures', async () => {
  const visitor = await open({ viewport: phone });
  const { page, faults } = visitor;
  await status(page, 'All is well');
  const monitor = app.app.nest.get(DatabaseMonitor);
  const become = (state: string) =>
    new Promise<void>((resolve) => monitor.onChange((now) => now === state && resolve()));
  const [down, ready] = [become('down'), become('ready')];
  proxy.set('refuse');
  await down;
  await status(page, 'The database is down');
  await app.app.nest.get(Sampler).sample();
  expect(await page.getByRole('list', { name: 'Figures and their thresholds' }).getByRole('listitem').count()).toBe(8);
  await page.getByText('The database does not answer.').first().waitFor();
  await page.screenshot({ path: `${PICTURES}/database-down.png`, fullPage: true });
  expect(await violations(page)).toEqual([]);
  proxy.set('pass');
  await ready;
  await status(page, 'All is well');
  expect(faults).toEqual([]);
  await leave(visitor);
});
