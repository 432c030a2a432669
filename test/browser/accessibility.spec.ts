import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launch, type Look, shifts, visit, windowOf } from './browser.js';
import { startDemoServer } from './demo-server.js';

const axe = readFileSync(createRequire(`${import.meta.dirname}/`).resolve('axe-core/axe.min.js'), 'utf8');

/** Kept for people to look at. */
const pictures = join(import.meta.dirname, '../.artifacts/demo-page');

let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemoServer>>;
beforeAll(async () => {
  [browser, demo] = await Promise.all([launch(), startDemoServer()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[] }[];
}

/** Rule and places of everything serious that axe finds. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const result = await page.evaluate<{ violations: Violation[] }>('axe.run()');
  return result.violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

const looks: [string, Look][] = [
  ['desktop, light', {}],
  ['desktop, dark', { dark: true }],
  ['phone, light', { phone: true }],
  ['phone, dark', { phone: true, dark: true }],
];

it.each(looks)('axe finds nothing serious: %s', async (name, look) => {
  const { page, context, complaints } = await visit(browser, demo.server.url, look);
  await page.locator('.picture img').first().waitFor({ state: 'attached' });
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(pictures, `${name.replace(', ', '-')}.png`) });
  const ada = windowOf(page, 'Ada');
  await ada.getByLabel('Search', { exact: true }).click();
  await ada.getByLabel('Search messages').fill('croissants');
  await ada.locator('.hit').first().waitFor();
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual([]);
  expect(await shifts(page)).toBeLessThan(0.05);
  await context.close();
});

it.each([
  ['light', false],
  ['dark', true],
])('axe finds nothing serious in what opens: thread, reply, dialogs, %s', async (_, dark) => {
  const { page, context, complaints } = await visit(browser, demo.server.url, { dark });
  const ada = windowOf(page, 'Ada');
  await ada.getByLabel('Write a message').fill('For all to see');
  await ada.getByLabel('Send').click();
  const own = ada.locator('.message', { has: page.getByText('For all to see', { exact: true }) });
  await own.locator('.receipt:not(.pending)').waitFor();
  await own.hover();
  await own.getByLabel('React').click();
  await own.getByLabel('React with 👍').click();
  await own.getByLabel('👍 1, by Ada').waitFor();
  await own.getByLabel('Reply in a thread').click();
  await ada.getByLabel('Reply in the thread').waitFor();
  expect(await violations(page)).toEqual([]);
  await ada.getByLabel('Close the thread').click();
  await own.hover();
  await own.getByLabel('Edit').click();
  await ada.getByText('Editing').waitFor();
  expect(await violations(page)).toEqual([]);
  await ada.getByLabel('Cancel').click();
  const dialogs = [
    [ada.getByLabel('New conversation'), 'New conversation'],
    [page.getByRole('button', { name: 'Open elsewhere' }), 'The same people, elsewhere'],
    [page.getByRole('button', { name: 'Add a person' }), 'Whose window?'],
  ] as const;
  for (const [button, name] of dialogs) {
    await button.click();
    await page.getByRole('dialog', { name }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
  expect(complaints).toEqual([]);
  await context.close();
});

it('on a phone each window is a tab, nothing is wider than the screen, and the list is one step back', async () => {
  const { page, context } = await visit(browser, demo.server.url, { phone: true });
  const isFitting = () => page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
  expect(await isFitting()).toBe(true);
  await expect(windowOf(page, 'Ben').isVisible()).resolves.toBe(false);
  await page.getByRole('tab', { name: 'Ben' }).click();
  await windowOf(page, 'Ben').getByLabel('Write a message').fill('From a phone');
  await windowOf(page, 'Ben').getByLabel('Send').click();
  await page.getByRole('tab', { name: 'Ada' }).click();
  await windowOf(page, 'Ada').locator('.body', { hasText: 'From a phone' }).waitFor();
  await windowOf(page, 'Ada').getByLabel('Back to the conversations').click();
  await windowOf(page, 'Ada').locator('.row-top', { hasText: 'Ben Okafor' }).waitFor();
  expect(await isFitting()).toBe(true);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('tab', { name: 'Break it' }).click();
  await page.getByRole('button', { name: /Kill this server/ }).waitFor();
  expect(await isFitting()).toBe(true);
  expect(await violations(page)).toEqual([]);
  await context.close();
});
