import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';
import { Breaker } from '../../../src/platform/lifecycle/breaker.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import { isStoreFault, S3Storage } from '../../../src/platform/storage/s3-storage.driver.js';
import { startStrictS3, type StrictS3 } from '../../support/s3.js';
import { storageConformance } from './storage-conformance.js';

/** A signer by other people than those of the SDK and of the gate. */
const aws4 = createRequire(import.meta.filename)('aws4') as {
  sign(
    options: {
      host: string;
      path: string;
      method?: string;
      service: string;
      region: string;
      signQuery?: boolean;
      body?: string;
      headers?: Record<string, string>;
    },
    credentials: { accessKeyId: string; secretAccessKey: string },
  ): { path: string; headers: Record<string, string> };
};

let s3: StrictS3;
let storage: S3Storage;
beforeAll(async () => {
  s3 = await startStrictS3();
  storage = make({});
});
afterAll(async () => {
  storage.close();
  await s3.stop();
});
beforeEach(() => {
  s3.gate.refusals.length = 0;
});

const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' };
const opened: S3Storage[] = [];
afterAll(() => opened.forEach((one) => one.close()));
function make(
  changes: {
    bucket?: string;
    upload?: 'post' | 'put';
    secretAccessKey?: string;
    partBytes?: number;
  },
  breaker?: Breaker,
): S3Storage {
  const { secretAccessKey = credentials.secretAccessKey, ...more } = changes;
  const one = new S3Storage(
    {
      bucket: s3.bucket,
      region: 'us-east-1',
      endpoint: s3.url,
      pathStyle: true,
      upload: 'post',
      credentials: { ...credentials, secretAccessKey },
      ...more,
    },
    breaker,
  );
  opened.push(one);
  return one;
}

storageConformance(
  'S3 that checks signatures',
  () => storage,
  async () => make({ secretAccessKey: 'another' }),
);

const refusal = async (answer: Response): Promise<{ status: number; code: string | undefined }> => ({
  status: answer.status,
  code: /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1],
});

describe('the gate', () => {
  const host = () => new URL(s3.url).host;
  const options = (path: string) => ({ host: host(), path, service: 's3', region: 'us-east-1' });

  it('agrees with an independent signer, in headers and in links', async () => {
    await storage.put('gate/a', Buffer.from('hello'), 'text/plain');
    const { headers } = aws4.sign(options(`/${s3.bucket}/gate/a`), credentials);
    expect(await (await fetch(`${s3.url}/${s3.bucket}/gate/a`, { headers })).text()).toBe('hello');
    const path = `/${s3.bucket}/gate/a?X-Amz-Expires=60&response-content-type=${encodeURIComponent('a/b; c="d e"')}`;
    const link = aws4.sign({ ...options(path), signQuery: true }, credentials);
    const answer = await fetch(`${s3.url}${link.path}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
  });

  it('lets nobody else in', async () => {
    const url = `${s3.url}/${s3.bucket}/gate/a`;
    expect(await refusal(await fetch(url))).toEqual({ status: 403, code: 'AccessDenied' });
    const forged = aws4.sign(options(`/${s3.bucket}/gate/a`), { ...credentials, secretAccessKey: 'guess' });
    expect((await refusal(await fetch(url, { headers: forged.headers }))).code).toBe('SignatureDoesNotMatch');
    const unknown = aws4.sign(options(`/${s3.bucket}/gate/a`), { ...credentials, accessKeyId: 'guess' });
    expect((await refusal(await fetch(url, { headers: unknown.headers }))).code).toBe('InvalidAccessKeyId');
    const { headers } = aws4.sign({ ...options(`/${s3.bucket}/gate/b`), method: 'PUT', body: 'mine' }, credentials);
    const swapped = await fetch(`${s3.url}/${s3.bucket}/gate/b`, { method: 'PUT', headers, body: 'else' });
    expect((await refusal(swapped)).code).toBe('XAmzContentSHA256Mismatch');
  });
});

describe('an object that is too large to be copied at once', () => {
  // S3 takes no smaller parts, and copies none out of smaller objects.
  const partBytes = 5 * 1024 * 1024;
  const large = Buffer.alloc(Math.floor(1.9 * partBytes), 'abcdefg');

  it('is copied in parts, byte for byte', async () => {
    const parts = make({ partBytes });
    await parts.put('large/a', large, 'application/octet-stream');
    expect(await parts.copy('large/a', 'large/b', large.length)).toBe(true);
    const stream = await parts.read('large/b');
    expect(stream && (await buffer(stream)).equals(large)).toBe(true);
    expect(s3.gate.refusals).toEqual([]);
  });

  it.each([partBytes - 1, partBytes + 1])('may be smaller than was said: %i bytes', async (size) => {
    const parts = make({ partBytes });
    await parts.put('large/c', large.subarray(0, size), 'application/octet-stream');
    expect(await parts.copy('large/c', 'large/d', large.length)).toBe(true);
    expect((await parts.head('large/d'))?.size).toBe(size);
  });

  it('may be missing', async () => {
    expect(await make({ partBytes }).copy('large/none', 'large/e', large.length)).toBe(false);
  });

  it('is not there in half when the store fails in between', async () => {
    const parts = make({ partBytes });
    await parts.put('large/f', large, 'application/octet-stream');
    const before = s3.gate.requests;
    const copying = parts.copy('large/f', 'large/g', large.length);
    // After the look at it and the beginning.
    while (s3.gate.requests < before + 3) await new Promise((resolve) => setImmediate(resolve));
    s3.gate.trouble = { status: 403, code: 'AccessDenied' };
    await expect(copying).rejects.toMatchObject({ code: 'dependency_unavailable' });
    s3.gate.trouble = undefined;
    expect(await parts.head('large/g')).toBeUndefined();
  });
});

it('links are made while nobody asks the store, and say nothing of it', async () => {
  const log = await createLog({ level: 'silent', pretty: false, base: {} });
  const breaker = new Breaker('storage-test', isStoreFault, log);
  const guarded = make({}, breaker);
  s3.gate.trouble = { status: 500, code: 'InternalError' };
  while (breaker.state !== 'open') await guarded.read('links/a').catch(() => undefined);
  s3.gate.trouble = undefined;
  const before = s3.gate.requests;
  const link = { key: 'links/a', type: 'text/plain', disposition: 'inline', expiresInS: 60 };
  expect(await guarded.access.signDownload(link)).toContain('X-Amz-Signature');
  expect(await guarded.access.signUpload({ ...link, size: 5 })).toMatchObject({ method: 'POST' });
  await expect(guarded.read('links/a')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect([breaker.state, s3.gate.requests - before]).toEqual(['open', 0]);
});

describe('what a link is good for', () => {
  const grant = { key: 'scope/mine', size: 5, type: 'text/plain', expiresInS: 300 };
  const form = (fields: Record<string, string>, file: string): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    data.append('file', new Blob([file]));
    return data;
  };
  const post = async (fields: Record<string, string>, file = 'hello') => {
    const link = await storage.access.signUpload(grant);
    return fetch(link.url, { method: 'POST', body: form({ ...link.fields, ...fields }, file) });
  };

  it('a form: one key, one type, at most the announced size', async () => {
    expect((await post({})).ok).toBe(true);
    expect((await post({}, 'hi')).ok).toBe(true);
    expect(await refusal(await post({}, 'hello!'))).toEqual({ status: 400, code: 'EntityTooLarge' });
    expect(await refusal(await post({}, ''))).toEqual({ status: 400, code: 'EntityTooSmall' });
    const changes: Record<string, string>[] = [
      { key: 'scope/other' },
      { key: 'scope/mine/../other' },
      { 'Content-Type': 'text/html' },
      { acl: 'public-read' },
      { success_action_redirect: 'https://example.com' },
      { 'x-amz-meta-a': 'b' },
    ];
    for (const fields of changes)
      expect(await refusal(await post(fields))).toEqual({ status: 403, code: 'AccessDenied' });
    expect(await storage.head('scope/other')).toBeUndefined();
  });

  it('a form: a policy that was written anew is not believed', async () => {
    const link = await storage.access.signUpload(grant);
    const policy = Buffer.from(link.fields['Policy'] ?? '', 'base64')
      .toString()
      .replace('mine', 'evil');
    const fields = { ...link.fields, key: 'scope/evil', Policy: Buffer.from(policy).toString('base64') };
    const answer = await fetch(link.url, { method: 'POST', body: form(fields, 'hello') });
    expect(await refusal(answer)).toEqual({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  it('a PUT: one key, one type, exactly the announced size, and nothing but a PUT', async () => {
    const link = await make({ upload: 'put' }).access.signUpload(grant);
    const put = (url: string, body: string, headers: Record<string, string> = link.headers, method = 'PUT') =>
      fetch(url, { method, headers, ...(method === 'PUT' ? { body } : {}) });
    expect((await put(link.url, 'hello')).status).toBe(200);
    const denied = { status: 403, code: 'SignatureDoesNotMatch' };
    expect(await refusal(await put(link.url, 'hello!'))).toEqual(denied);
    expect(await refusal(await put(link.url, 'hell'))).toEqual(denied);
    expect(await refusal(await put(link.url, 'hello', { 'Content-Type': 'text/html' }))).toEqual(denied);
    expect(await refusal(await put(link.url.replace('mine', 'other'), 'hello'))).toEqual(denied);
    expect(await refusal(await put(link.url, '', {}, 'GET'))).toEqual(denied);
    expect(await refusal(await put(link.url, '', {}, 'DELETE'))).toEqual(denied);
    expect(await refusal(await put(link.url.replace('X-Amz-Expires=300', 'X-Amz-Expires=3000'), 'hello'))).toEqual(
      denied,
    );
  });

  it('a download: one key, as the type and under the disposition it was made for', async () => {
    await storage.put('scope/read', Buffer.from('hello'), 'text/html');
    await storage.put('scope/secret', Buffer.from('secret'), 'text/html');
    const link = await storage.access.signDownload({
      key: 'scope/read',
      type: 'text/plain',
      disposition: 'attachment',
      expiresInS: 60,
    });
    const answer = await fetch(link);
    expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
    const denied = { status: 403, code: 'SignatureDoesNotMatch' };
    for (const [from, to] of [
      ['scope/read', 'scope/secret'],
      ['text%2Fplain', 'text%2Fhtml'],
      ['=attachment', '=inline'],
      ['X-Amz-Expires=60', 'X-Amz-Expires=600'],
    ] as const) {
      expect(link).toContain(from);
      expect(await refusal(await fetch(link.replace(from, to)))).toEqual(denied);
    }
    expect(await refusal(await fetch(`${link}&response-content-encoding=gzip`))).toEqual(denied);
    expect(await refusal(await fetch(link, { method: 'DELETE' }))).toEqual(denied);
    const listing = new URL(link);
    listing.pathname = `/${s3.bucket}`;
    expect(await refusal(await fetch(listing))).toEqual(denied);
  });

  it('any of them: until it expires', async () => {
    const short = { ...grant, expiresInS: 1 };
    const [form1, put1, get1] = await Promise.all([
      storage.access.signUpload(short),
      make({ upload: 'put' }).access.signUpload(short),
      storage.access.signDownload({ key: 'scope/mine', type: 'text/plain', disposition: 'inline', expiresInS: 1 }),
    ]);
    const uses: (() => Promise<Response>)[] = [
      () => fetch(form1.url, { method: 'POST', body: form(form1.fields, 'hello') }),
      () => fetch(put1.url, { method: 'PUT', headers: put1.headers, body: 'hello' }),
      () => fetch(get1),
    ];
    for (const use of uses) {
      for (let answer = await use(); ; answer = await use()) {
        if (!answer.ok) {
          expect(await refusal(answer)).toEqual({ status: 403, code: 'AccessDenied' });
          break;
        }
        await answer.arrayBuffer();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });
});
