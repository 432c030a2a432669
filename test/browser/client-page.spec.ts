import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Rooms } from '../../src/platform/realtime/rooms.js';
import { Sockets } from '../../src/platform/realtime/sockets.js';
import { createGroup, send } from '../integration/messages/support.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type Person, register } from '../support/people.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { launch } from './browser.js';
import { servePage } from './client-page.js';

type Storage = 'localStorage' | 'indexedDB';

let browser: Browser;
let site: Awaited<ReturnType<typeof servePage>>;
let parley: TestApp;
let network: TcpProxy;
let context: BrowserContext;
let page: Page;
let ada: Person;
let ben: Person;
let c: string;
beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), servePage()]);
  parley = await createTestApp({ CORS_ORIGINS: site.origin });
  network = await TcpProxy.start({ host: '127.0.0.1', port: Number(new URL(parley.url).port) });
});
afterAll(async () => {
  await browser?.close();
  await network?.stop();
  await parley?.close();
  await site?.stop();
});
beforeEach(async () => {
  [ada, ben] = await Promise.all([register(parley.url, 'Ada'), register(parley.url, 'Ben')]);
  c = await createGroup(ada, [ben]);
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
});
afterEach(async () => {
  network.set('pass');
  await context.close();
});

// What runs in the page is text here: the types of this program know no browser.
const enter = async (storage: Storage): Promise<void> => {
  await page.goto(site.origin);
  await page.waitForFunction('window.loaded');
  const { identifier, password } = ada;
  await page.evaluate(
    `enter(...${JSON.stringify([`http://127.0.0.1:${network.port}`, storage, { identifier, password }])})`,
  );
};
const status = (wanted: string) => page.waitForFunction(`parley.status === '${wanted}'`);
const offline = async () => {
  await context.setOffline(true);
  network.set('refuse');
  await page.waitForFunction(`parley.status !== 'online'`);
};
const online = async () => {
  network.set('pass');
  await context.setOffline(false);
  await status('online');
};
const bodies = async () => {
  const { body } = await ben.get<{ items: { body: string | null; senderId: string | null }[] }>(
    `/api/v1/conversations/${c}/messages`,
  );
  return body.items.flatMap(({ body: text, senderId }) => (senderId === ada.id ? [text] : []));
};

it.each<Storage>(['localStorage', 'indexedDB'])(
  'what was written offline survives a reload in %s, and is sent once and in order',
  async (storage) => {
    await enter(storage);
    await status('online');
    await offline();
    for (const text of ['one', 'two', 'three'])
      await page.evaluate(`parley.send('${c}', '${text}').then(() => undefined)`);
    expect(await page.evaluate('unsent()')).toBe(3);
    // The page itself is not Parley's: it comes from its own server, which can be reached.
    await context.setOffline(false);
    await enter(storage);
    expect(await page.evaluate('unsent()')).toBe(3);
    expect(await bodies()).toEqual([]);
    await online();
    await eventually(async () => expect(await page.evaluate('unsent()')).toBe(0));
    expect(await bodies()).toEqual(['one', 'two', 'three']);
  },
);

it('comes back after the network was away, with what was said meanwhile', async () => {
  await enter('localStorage');
  await status('online');
  await offline();
  for (const text of ['a', 'b', 'c']) await send(ben, c, text);
  await online();
  await page.waitForFunction('bodies.length === 3');
  await send(ben, c, 'd');
  await page.waitForFunction('bodies.length === 4');
  expect(await page.evaluate('bodies')).toEqual(['a', 'b', 'c', 'd']);
});

it('closes a hole before a live change, and shows nothing twice', async () => {
  await enter('localStorage');
  await status('online');
  const rooms = parley.app.nest.get(Rooms, { strict: false });
  const [client] = parley.app.nest.get(Sockets, { strict: false }).of(ada.id);
  if (!client) throw new Error('the page has no socket');
  rooms.setLagging(client.socket.id, true);
  for (const text of ['lost', 'lost too']) await send(ben, c, text);
  rooms.setLagging(client.socket.id, false);
  await send(ben, c, 'seen');
  await page.waitForFunction('bodies.length === 3');
  expect(await page.evaluate('bodies')).toEqual(['lost', 'lost too', 'seen']);
});

it('renews its token on the open socket, and resumes with it', async () => {
  await enter('localStorage');
  await status('online');
  const before = await page.evaluate('parley.tokens.accessToken');
  await page.evaluate('parley.renewToken()');
  const after = await page.evaluate('parley.tokens.accessToken');
  expect(after).not.toBe(before);
  expect(await page.evaluate('happened')).toEqual(['connecting', 'syncing', 'online', 'tokens']);
  await page.evaluate(`parley.send('${c}', 'with the new one').then(() => undefined)`);
  await eventually(async () => expect(await page.evaluate('unsent()')).toBe(0));
  await enter('localStorage');
  await status('online');
  expect(await page.evaluate('parley.tokens.accessToken')).toBe(after);
  expect(await bodies()).toEqual(['with the new one']);
});
