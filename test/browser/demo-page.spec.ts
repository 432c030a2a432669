import type { Browser, Page } from 'playwright-core';
import { launch, settled, shifts, visit, type Visit, windowOf } from './browser.js';
import { eventually } from '../support/eventually.js';
import { startDemoServer } from './demo-server.js';

let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemoServer>>;
let first: Visit;
beforeAll(async () => {
  [browser, demo] = await Promise.all([launch(), startDemoServer()]);
  first = await visit(browser, demo.server.url);
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

const field = (page: Page, name: string) => windowOf(page, name).getByLabel('Write a message');
async function write(page: Page, name: string, text: string): Promise<void> {
  await field(page, name).fill(text);
  await field(page, name).press('Enter');
}
const bubble = (page: Page, name: string, text: string) =>
  windowOf(page, name).locator('.message', { has: page.getByText(text, { exact: true }) });
/** A picture of one dot. */
const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const journal = (page: Page, text: RegExp) => page.locator('.journal li', { hasText: text }).first();
const button = (page: Page, name: RegExp) => page.locator('.proof').getByRole('button', { name });
const worldOf = (page: Page) => page.evaluate<string>(`localStorage.getItem('parley.world')`);

it('the first visit finds people with a history, and the next one finds the same', async () => {
  const { page } = first;
  const ada = windowOf(page, 'Ada');
  await eventually(async () => {
    await expect(ada.locator('.row').count()).resolves.toBeGreaterThanOrEqual(4);
    await expect(ada.locator('.message').count()).resolves.toBeGreaterThan(10);
  });
  await ada.locator('.picture img').first().waitFor();
  const texts = await ada.locator('.body').allTextContents();
  await page.reload();
  await settled(page);
  await eventually(async () => {
    await expect(windowOf(page, 'Ada').locator('.body').allTextContents()).resolves.toEqual(texts);
  });
});

it('two people in two browsers talk, and each tick tells how far a message got', async () => {
  const { page } = first;
  const other = await visit(browser, demo.server.url, { hash: `#world=${await worldOf(page)}` });
  await field(other.page, 'Ben').pressSequentially('Hello from over here');
  await windowOf(page, 'Ada').locator('.typing-line', { hasText: 'Ben is typing' }).waitFor();
  await field(other.page, 'Ben').press('Enter');
  await bubble(page, 'Ada', 'Hello from over here').waitFor();
  await write(page, 'Ada', 'And back again');
  await bubble(other.page, 'Ben', 'And back again').waitFor();
  // Chloé and Dev are connected and look at nothing: it is delivered to all, and read by those who have a window open.
  await bubble(page, 'Ada', 'And back again').locator('.receipt.delivered').waitFor();
  expect(other.complaints).toEqual([]);
  await other.context.close();
});

it('the keyboard alone is enough: to send, to edit, to react', async () => {
  const { page } = first;
  const isField = () =>
    page.evaluate<boolean>(`document.activeElement?.getAttribute('aria-label') === 'Write a message'`);
  await page.locator('h1').first().click();
  for (let i = 0; i < 80 && !(await isField()); i++) await page.keyboard.press('Tab');
  expect(await isField()).toBe(true);
  await page.keyboard.type('Typed withuot a mouse');
  await page.keyboard.press('Enter');
  await bubble(page, 'Ben', 'Typed withuot a mouse').waitFor();
  await bubble(page, 'Ada', 'Typed withuot a mouse').locator('.receipt:not(.pending)').waitFor();
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(`document.activeElement?.value === 'Typed withuot a mouse'`);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Typed without a mouse');
  await page.keyboard.press('Enter');
  await bubble(page, 'Ben', 'Typed without a mouse').getByText('edited').waitFor();
  await bubble(page, 'Ada', 'Typed without a mouse').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await bubble(page, 'Ada', 'Typed without a mouse').getByLabel('React with 👍').focus();
  await page.keyboard.press('Enter');
  await bubble(page, 'Ben', 'Typed without a mouse').getByLabel('👍 1, by Ada').waitFor();
  await bubble(page, 'Ada', 'Typed without a mouse').getByLabel('👍 1, by Ada').focus();
  await page.keyboard.press('Enter');
  await bubble(page, 'Ben', 'Typed without a mouse').getByLabel('Reactions').waitFor({ state: 'detached' });
  await bubble(page, 'Ada', 'Typed without a mouse').getByLabel('Delete').focus();
  await page.keyboard.press('Enter');
  const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  await remove.waitFor();
  const isChosen = () => page.evaluate<boolean>(`document.activeElement?.matches('dialog .danger') ?? false`);
  for (let i = 0; i < 4 && !(await isChosen()); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await bubble(page, 'Ben', 'Typed without a mouse').waitFor({ state: 'detached' });
});

it('how somebody appears is seen by the others', async () => {
  const { page } = first;
  const appearance = windowOf(page, 'Ada').getByLabel('How Ada appears');
  const seen = windowOf(page, 'Ben').locator('.row', { has: page.getByText('Ada', { exact: false }) });
  for (const [mode, state] of [
    ['dnd', 'dnd'],
    ['invisible', 'offline'],
    ['auto', 'active'],
  ] as const) {
    await appearance.selectOption(mode);
    // Who becomes invisible is seen offline after the grace of those who leave.
    await seen.locator(`.presence.${state}`).first().waitFor({ timeout: 90_000 });
  }
});

it('a picture that is dropped arrives as a picture', async () => {
  const { page } = first;
  const before = await windowOf(page, 'Ben').locator('.picture img').count();
  const files = await page.evaluateHandle(`(async () => {
    const canvas = new OffscreenCanvas(64, 48);
    canvas.getContext('2d').fillRect(0, 0, 32, 48);
    const transfer = new DataTransfer();
    transfer.items.add(new File([await canvas.convertToBlob()], 'dropped.png', { type: 'image/png' }));
    return transfer;
  })()`);
  await windowOf(page, 'Ada').locator('.chat').dispatchEvent('drop', { dataTransfer: files });
  await windowOf(page, 'Ada').getByAltText('dropped.png').waitFor();
  await write(page, 'Ada', 'Look');
  await windowOf(page, 'Ben').locator('.picture img').nth(before).waitFor();
});

it('a picture that is pasted, and one that is picked, arrive as pictures', async () => {
  const { page } = first;
  const pictures = windowOf(page, 'Ben').locator('.picture img');
  const before = await pictures.count();
  await field(page, 'Ada').focus();
  await page.evaluate(`(async () => {
    const transfer = new DataTransfer();
    const canvas = new OffscreenCanvas(48, 48);
    canvas.getContext('2d').fillRect(0, 0, 48, 24);
    transfer.items.add(new File([await canvas.convertToBlob()], 'pasted.png', { type: 'image/png' }));
    const paste = new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(paste);
  })()`);
  await windowOf(page, 'Ada').getByAltText('pasted.png').waitFor();
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    windowOf(page, 'Ada').getByLabel('Add pictures').click(),
  ]);
  await chooser.setFiles({ name: 'picked.png', mimeType: 'image/png', buffer: dot });
  await windowOf(page, 'Ada').getByAltText('picked.png').waitFor();
  await write(page, 'Ada', 'Two more');
  await pictures.nth(before + 1).waitFor();
});

it('a thread, a search and a deletion', async () => {
  const { page } = first;
  await write(page, 'Ada', 'Shall we paint the shutters?');
  const root = bubble(page, 'Ben', 'Shall we paint the shutters?');
  await root.hover();
  await root.getByLabel('Reply in a thread').click();
  const thread = windowOf(page, 'Ben').getByLabel('Thread', { exact: true });
  await thread.getByLabel('Reply in the thread').fill('Blue, please');
  await thread.getByLabel('Reply in the thread').press('Enter');
  await bubble(page, 'Ada', 'Shall we paint the shutters?').getByText('1 reply').waitFor();
  await thread.getByLabel('Close the thread').click();

  await windowOf(page, 'Ben').getByLabel('Search', { exact: true }).click();
  await windowOf(page, 'Ben').getByLabel('Search messages').fill('shutters');
  await windowOf(page, 'Ben').locator('.hit mark', { hasText: 'shutters' }).waitFor();
  await windowOf(page, 'Ben').getByLabel('Close the search').click();

  const own = bubble(page, 'Ada', 'Shall we paint the shutters?');
  await own.hover();
  await own.getByLabel('Delete').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await root.waitFor({ state: 'detached' });
  await windowOf(page, 'Ben').getByText('This message was deleted').last().waitFor();
});

it('what is written without a network arrives once, when it is back', async () => {
  const { page } = first;
  await field(page, 'Ada').focus();
  await button(page, /Cut Ada/).click();
  await windowOf(page, 'Ada').locator('.chip.offline, .chip.connecting').waitFor();
  await write(page, 'Ada', 'Written in a tunnel');
  await bubble(page, 'Ada', 'Written in a tunnel').locator('.receipt.pending').waitFor();
  await write(page, 'Ben', 'Missed by Ada');
  await bubble(page, 'Ben', 'Missed by Ada').locator('.receipt:not(.pending)').waitFor();
  await expect(bubble(page, 'Ada', 'Missed by Ada').count()).resolves.toBe(0);
  await expect(bubble(page, 'Ben', 'Written in a tunnel').count()).resolves.toBe(0);
  await windowOf(page, 'Ada').getByRole('button', { name: 'Reconnect' }).click();
  await bubble(page, 'Ada', 'Missed by Ada').waitFor();
  await bubble(page, 'Ben', 'Written in a tunnel').waitFor();
  await expect(bubble(page, 'Ben', 'Written in a tunnel').count()).resolves.toBe(1);
  await journal(page, /Ada is up to date again after \d+ ms/).waitFor();
});

it('with every second live message lost the gaps are found, closed and told', async () => {
  const { page } = first;
  await button(page, /Lose every second/).click();
  await field(page, 'Ada').focus();
  await button(page, /Talk, ten/).click();
  const words = ['One', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten.'];
  for (const name of ['Ada', 'Ben']) {
    // The last one has no successor that would show the gap: then the heads do, every 30 s.
    for (const word of words) await bubble(page, name, word).waitFor({ timeout: 70_000 });
    await expect(bubble(page, name, 'ten.').count()).resolves.toBe(1);
  }
  await journal(page, /found a gap in “Opening week”: has rev \d+, the next one begins at \d+/).waitFor();
  await journal(page, /closed it in \d+ ms: \d+ rows?, now at rev \d+/).waitFor();
  await button(page, /Lose every second/).click();
});

it('one message sent five times at once is stored once', async () => {
  const { page } = first;
  await button(page, /five times/).click();
  await journal(page, /sent one message five times: stored once as seq \d+, recognised 4 times/).waitFor();
  await bubble(page, 'Ben', 'Sent five times at once ✋').waitFor();
  await expect(bubble(page, 'Ben', 'Sent five times at once ✋').count()).resolves.toBe(1);
});

it('nothing was complained about so far, and nothing moved by itself', async () => {
  expect(first.complaints.filter((text) => !text.includes('WebSocket'))).toEqual([]);
  expect(await shifts(first.page)).toBeLessThan(0.05);
});

it('a killed server comes back, and everybody goes on without signing in', async () => {
  const { page } = first;
  await button(page, /Kill this server/).click();
  await journal(page, /The server is back/).waitFor({ timeout: 90_000 });
  await windowOf(page, 'Ada').locator('.chip.online').waitFor({ timeout: 60_000 });
  await windowOf(page, 'Ben').locator('.chip.online').waitFor({ timeout: 60_000 });
  await write(page, 'Ben', 'Still here');
  await bubble(page, 'Ada', 'Still here').waitFor();
});
