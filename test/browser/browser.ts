import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Of Debian and of others. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium, found by PATH. */
export function launch(): Promise<Browser> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const executablePath = names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (!executablePath)
    throw new Error('There is no Chromium in PATH, and these tests need one: apt-get install chromium');
  return chromium.launch({ executablePath, args: flags });
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What the console and the page itself complained about. */
  complaints: string[];
}

export interface Look {
  phone?: boolean;
  dark?: boolean;
  hash?: string;
}

/** Opens the demo in a browser that has never been here. The story is told, and Ada's window is online, when this resolves. */
export async function visit(browser: Browser, url: string, { phone, dark, hash = '' }: Look = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1440, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    hasTouch: phone ?? false,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  await context.addInitScript(watchShifts);
  await page.goto(`${url}/${hash}`);
  await settled(page);
  return { context, page, complaints };
}

/** Resolves when the first window is online and its messages are there. */
export async function settled(page: Page): Promise<void> {
  const pane = page.locator('.pane').first();
  await pane.locator('.chip.online').waitFor();
  await pane.locator('.message').first().waitFor();
}

/** Somebody's window. */
export const windowOf = (page: Page, firstName: string) =>
  page.locator('.pane').filter({ has: page.locator('h2', { hasText: firstName }) });

// What runs in the page is text here: the types of this program know no browser.

/** Sum of all layout shifts that no input explains, since the page began. Stricter than web.dev/cls, which counts windows of them. */
export const shifts = (page: Page): Promise<number> => page.evaluate<number>('window.shifts');

const watchShifts = `
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
`;
