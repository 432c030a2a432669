import { createTestApp, type TestApp } from '../../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp({ DEMO_ENABLED: 'true' });
});
afterAll(() => app.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${app.url}${path}`, { headers });

/** The script of the demo page, as its document names it. */
async function script(): Promise<string> {
  const page = await (await get('/')).text();
  return /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? 'the pages are not built: npm run build';
}

it.each(['/', '/ops'])('%s may load from here alone, and nothing inline', async (path) => {
  const response = await get(path);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-cache');
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:/);
  expect(await response.text()).not.toMatch(/<script>|<style|style="|https?:\/\//);
});

it('a page that is known already is not sent again', async () => {
  const etag = (await get('/')).headers.get('etag') ?? '';
  const again = await get('/', { 'if-none-match': etag });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe('');
});

it('what has a hash in its name is kept for ever, and sent as the browser can read it', async () => {
  const path = await script();
  const texts = new Set<string>();
  for (const [accepted, coding] of [
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['identity', null],
  ] as const) {
    const response = await get(path, { 'accept-encoding': accepted });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('vary')).toContain('Accept-Encoding');
    expect(response.headers.get('content-encoding')).toBe(coding);
    texts.add(await response.text());
  }
  expect(texts.size).toBe(1);
});

it.each([
  '/assets/none.js',
  '/assets/..%2findex.html',
  '/assets/..%2f..%2f..%2fpackage.json',
  '/assets/%2fetc%2fpasswd',
])('%s is nothing of ours', async (path) => {
  const response = await get(path);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'not_found' });
});

it('in production the demo is off and says so', async () => {
  const production = await createTestApp({ NODE_ENV: 'production' });
  try {
    const page = await (await fetch(`${production.url}/`)).text();
    expect(page).toContain('The demo page is off here');
    expect(page).toContain('DEMO_ENABLED=true');
  } finally {
    await production.close();
  }
});
