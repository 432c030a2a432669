import type { Browser } from 'playwright-core';
import { launch, settled, visit, windowOf } from './browser.js';
import { startDemoServer } from './demo-server.js';

let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemoServer>>;
beforeAll(async () => {
  const production = { NODE_ENV: 'production', DRAIN_WAIT_MS: '0' };
  [browser, demo] = await Promise.all([launch(), startDemoServer(production)]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

it('in production, where it is asked for, the demo makes do with guests', async () => {
  const { page, context } = await visit(browser, demo.server.url);
  const write = async (text: string) => {
    await windowOf(page, 'Ada').getByLabel('Write a message').fill(text);
    await windowOf(page, 'Ada').getByLabel('Write a message').press('Enter');
    await windowOf(page, 'Ben').locator('.body', { hasText: text }).waitFor();
  };
  await write('From one guest to another');
  // They are the same people after a reload: their sign-ins were kept.
  await page.reload();
  await settled(page);
  await windowOf(page, 'Ben').locator('.body', { hasText: 'From one guest to another' }).waitFor();
  await write('And again');
  const kill = page.getByRole('button', { name: /Kill this server/ });
  await expect(kill.isDisabled()).resolves.toBe(true);
  await context.close();
});
