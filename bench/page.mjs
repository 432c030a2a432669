#!/usr/bin/env node
// Measures the demo page in a real Chromium: bytes that travelled, time until somebody can write, layout shifts, long
// tasks. Needs a running server with the demo on.
//   npm run bench:page [-- --url http://localhost:3000 --runs 5 --json]
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:3000' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

/** Slow 4G of Lighthouse, and a phone of the middle class. */
const phone = { latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (750 * 1024) / 8, cpu: 4 };
const local = { latency: 0, downloadThroughput: -1, uploadThroughput: -1, cpu: 1 };

const observe = `
  window.measured = { shifts: 0, blocked: 0, paint: 0 };
  const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch('layout-shift', (entry) => { if (!entry.hadRecentInput) measured.shifts += entry.value; });
  watch('longtask', (entry) => { measured.blocked += Math.max(0, entry.duration - 50); });
  watch('paint', (entry) => { if (entry.name === 'first-contentful-paint') measured.paint = entry.startTime; });
`;

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (!found) throw new Error('There is no Chromium in PATH: apt-get install chromium');
  return found;
}

/** One visit: `writable` is when the first window is online with its messages and takes a text, in ms after the navigation. */
async function visit(context, network) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const bytes = { page: 0, total: 0 };
  const kinds = new Map();
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, ...network });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: network.cpu });
  cdp.on('Network.responseReceived', ({ requestId, response }) => kinds.set(requestId, response.url));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    bytes.total += encodedDataLength;
    if (!new URL(kinds.get(requestId) ?? 'http://x/api').pathname.startsWith('/api')) bytes.page += encodedDataLength;
  });
  await page.addInitScript(observe);
  await page.goto(values.url);
  await page.locator('.pane .chip.online').first().waitFor();
  await page.locator('.pane .message').first().waitFor();
  await page.locator('.composer textarea').first().click();
  const writable = await page.evaluate('performance.now()');
  await page.locator('.picture img').first().waitFor({ state: 'attached' });
  const measured = await page.evaluate('measured');
  await page.close();
  return { writable, ...measured, ...bytes };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const summary = (visits) =>
  Object.fromEntries(Object.keys(visits[0]).map((key) => [key, median(visits.map((one) => one[key]))]));

const browser = await chromium.launch({ executablePath: findChromium(), args: flags });
const results = {};
for (const [name, network] of Object.entries({ local, phone })) {
  const [first, second] = [[], []];
  for (let run = 0; run < Number(values.runs); run++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    // The first visit also makes the people and writes their story.
    first.push(await visit(context, network));
    second.push(await visit(context, network));
    await context.close();
  }
  results[`${name}, first visit`] = summary(first);
  results[`${name}, next visit`] = summary(second);
}
await browser.close();

if (values.json) console.log(JSON.stringify(results, null, 2));
else {
  console.log('                      page KB   all KB   paint ms   writable ms   blocked ms   shifts');
  for (const [name, { page, total, paint, writable, blocked, shifts }] of Object.entries(results)) {
    const cells = [(page / 1024).toFixed(1), (total / 1024).toFixed(1), paint.toFixed(0), writable.toFixed(0)];
    const [a, b, c, d] = cells;
    console.log(
      `${name.padEnd(20)} ${a.padStart(8)} ${b.padStart(8)} ${c.padStart(10)} ${d.padStart(13)} ${blocked.toFixed(0).padStart(12)} ${shifts.toFixed(4).padStart(8)}`,
    );
  }
}
