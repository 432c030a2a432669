import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Storage } from '../../../src/platform/storage/s3-storage.driver.js';
import { startS3, type TestS3 } from '../../support/s3.js';
import { storageConformance } from './storage-conformance.js';

let s3: TestS3;
let storage: S3Storage;
beforeAll(async () => {
  s3 = await startS3();
  storage = make({});
});
afterAll(async () => {
  storage.close();
  await s3.stop();
});

const make = (changes: { endpoint?: string; bucket?: string; upload?: 'post' | 'put' }) =>
  new S3Storage({
    bucket: s3.bucket,
    region: 'us-east-1',
    endpoint: s3.url,
    pathStyle: true,
    upload: 'post',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
    ...changes,
  });

storageConformance(
  'S3',
  () => storage,
  async () => make({ bucket: 'not-there' }),
);

describe('an S3 that does not work', () => {
  let server: Server;
  let calls = 0;
  let answer: { status: number; code: string };
  beforeAll(async () => {
    server = createServer((request, response) => {
      calls += 1;
      request.resume();
      response.writeHead(answer.status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${answer.code}</Code><Message>no</Message></Error>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it.each([
    [403, 'AccessDenied', 1],
    [403, 'ExpiredToken', 1],
    [404, 'NoSuchBucket', 1],
    [500, 'InternalError', 3],
    [503, 'SlowDown', 3],
  ])('%i %s is dependency_unavailable after %i calls', async (status, code, expected) => {
    calls = 0;
    answer = { status, code };
    const broken = make({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(broken.read('a')).rejects.toMatchObject({ code: 'dependency_unavailable' });
    expect(calls).toBe(expected);
    broken.close();
  });
});

describe('signed links', () => {
  const grant = { key: 'links/a', size: 5, type: 'text/plain', expiresInS: 300 };

  it('a POST names the key, the type and the largest size in a policy the store checks', async () => {
    const link = await storage.access.signUpload(grant);
    expect(link).toMatchObject({ strategy: 'post', method: 'POST' });
    const policy = JSON.parse(Buffer.from(link.fields['Policy'] ?? '', 'base64').toString()) as {
      expiration: string;
      conditions: unknown[];
    };
    expect(policy.conditions).toEqual(
      expect.arrayContaining([
        ['content-length-range', 1, 5],
        ['eq', '$Content-Type', 'text/plain'],
        { key: 'links/a' },
        { bucket: s3.bucket },
      ]),
    );
    const life = new Date(policy.expiration).getTime() - Date.now();
    expect(life).toBeGreaterThan(200_000);
    expect(life).toBeLessThanOrEqual(300_000);
  });

  it('a PUT has the length and the type under its signature', async () => {
    const link = await make({ upload: 'put' }).access.signUpload(grant);
    expect(link).toMatchObject({ strategy: 'put', method: 'PUT', headers: { 'Content-Type': 'text/plain' } });
    const signed = new URL(link.url).searchParams.get('X-Amz-SignedHeaders');
    expect(signed?.split(';').toSorted()).toEqual(['content-length', 'content-type', 'host']);
    const answer = await fetch(link.url, { method: 'PUT', body: 'hello', headers: link.headers });
    expect(answer.status).toBe(200);
    expect((await storage.head('links/a'))?.size).toBe(5);
  });

  it('a download tells the store which type and disposition to answer with', async () => {
    await storage.put('links/b', Buffer.from('hello'), 'text/html');
    const link = await storage.access.signDownload({
      key: 'links/b',
      type: 'text/plain',
      disposition: 'attachment; filename="b.txt"',
      expiresInS: 60,
    });
    const query = new URL(link).searchParams;
    expect(query.get('X-Amz-Expires')).toBe('60');
    expect(query.get('response-content-type')).toBe('text/plain');
    expect(query.get('response-content-disposition')).toBe('attachment; filename="b.txt"');
    expect(await (await fetch(link)).text()).toBe('hello');
  });
});
