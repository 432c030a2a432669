import { type Browser, chromium, type Page } from 'playwright-core';
import { type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let browser: Browser;
beforeAll(async () => {
  folder = await temporaryFolder();
  [server, browser] = await Promise.all([
    startServerProcess({ DATA_DIR: folder.path }),
    chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await folder.remove();
});

/** A page that remembers what went wrong in it, and who was asked. */
async function open(path: string): Promise<{ page: Page; faults: string[]; hosts: Set<string> }> {
  const page = await browser.newPage();
  const faults: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.text()} ${message.location().url}`);
  });
  page.on('request', (request) => {
    if (/^https?:/.test(request.url())) hosts.add(new URL(request.url()).host);
  });
  await page.goto(`${server.url}${path}`);
  return { page, faults, hosts };
}

it('/docs shows the routes, loads nothing from elsewhere, and a request of "try it" is answered with the development token', async () => {
  const { page, faults, hosts } = await open('/docs');
  await page.getByText(/requests are made as \w+/).waitFor();
  await page.goto(`${server.url}/docs#tag/users/GET/api/v1/users/me`);
  const answered = page.waitForResponse((response) => response.url() === `${server.url}/api/v1/users/me`, {
    timeout: 60_000,
  });
  await page
    .getByRole('button', { name: /test request/i })
    .first()
    .click({ timeout: 60_000 });
  await page.getByRole('button', { name: /^send/i }).first().click({ timeout: 60_000 });
  const response = await answered;
  expect(response.status()).toBe(200);
  expect(await response.json()).toMatchObject({ displayName: expect.any(String) });
  expect(faults).toEqual([]);
  expect([...hosts]).toEqual([new URL(server.url).host]);
  await page.close();
});

it('/docs of an installation without a demo says that there is no token, and makes nobody', async () => {
  const own = await temporaryFolder();
  const strict = await startServerProcess({ DATA_DIR: own.path, DEMO_ENABLED: 'false' });
  try {
    const page = await browser.newPage();
    await page.goto(`${strict.url}/docs`);
    await page.getByText('No development token here (it is off in production)').waitFor();
    await page.getByRole('heading', { name: 'Parley' }).first().waitFor();
    await page.close();
  } finally {
    await strict.stop();
    await own.remove();
  }
});

it('/docs/sockets lists commands and events; an entry opens to its members', async () => {
  const { page, faults, hosts } = await open('/docs/sockets');
  const entry = page.locator('details', { has: page.locator('summary code', { hasText: /^message\.send$/ }) });
  await entry.locator('summary').click();
  await entry.getByRole('cell', { name: 'clientId', exact: true }).waitFor();
  expect(await page.locator('details').count()).toBeGreaterThan(20);
  expect(faults).toEqual([]);
  expect([...hosts]).toEqual([new URL(server.url).host]);
  await page.close();
});
