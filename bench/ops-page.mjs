// The operations page in Chromium: bytes over the wire, and milliseconds from the navigation to the form and to the figures.
//   node bench/ops-page.mjs [--runs 5] [--json]
// Needs a build (npm run build), Linux and Chromium (CHROMIUM, default /usr/bin/chromium). The phone is a processor four
// times slower on a line of 1.6 Mbit/s with 150 ms of latency.
import { chromium } from 'playwright-core';
import { median } from './load/measure.mjs';
import { option, startParley } from './overhead/parley.mjs';

const runs = Number(option('--runs', 5));
const SETUP_TOKEN = 'bench-setup-token-bench-setup-token-bench';
const account = { identifier: 'bench@example.com', password: 'bench-password', displayName: 'Bench' };
const machines = [
  { name: 'desktop', viewport: { width: 1366, height: 900 } },
  {
    name: 'phone',
    viewport: { width: 390, height: 844 },
    slowdown: 4,
    line: { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 },
  },
];

const parley = await startParley({ SETUP_TOKEN });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  await parley.call('POST', '/api/v1/setup', { body: { ...account, setupToken: SETUP_TOKEN } });
  const rows = [];
  for (const machine of machines) {
    const visits = [];
    for (let run = 0; run < runs; run++) visits.push(await visit(machine));
    const figure = (name) => Math.round(median(visits.map((one) => one[name])));
    rows.push({
      machine: machine.name,
      'page (bytes)': figure('pageBytes'),
      'first figures (bytes)': figure('dataBytes'),
      'form usable (ms)': figure('formMs'),
      'figures shown (ms)': figure('figuresMs'),
    });
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify({ runs, rows }, null, 2));
  else console.table(rows);
} finally {
  await browser.close();
  await parley.stop();
}

/** A first visit with an empty cache, the sign-in, and one more with an empty cache that finds the sign-in. */
async function visit({ viewport, slowdown = 1, line }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  if (line) await devtools.send('Network.emulateNetworkConditions', line);
  const urls = new Map();
  const bytes = { page: 0, data: 0 };
  devtools.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    bytes[urls.get(requestId)?.includes('/api/') ? 'data' : 'page'] += encodedDataLength;
  });
  const sinceNavigation = () => page.evaluate('performance.now()');
  await page.goto(`${parley.url}/ops`);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  const formMs = await sinceNavigation();
  const pageBytes = bytes.page;
  await page.locator('[name=identifier]').fill(account.identifier);
  await page.locator('[name=password]').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  bytes.data = 0;
  await page.reload();
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  const figuresMs = await sinceNavigation();
  const dataBytes = bytes.data;
  await context.close();
  return { pageBytes, dataBytes, formMs, figuresMs };
}
