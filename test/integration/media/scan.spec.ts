import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { clamdScan } from '../../../src/modules/media/clamd-scan.driver.js';
import { webhookScan } from '../../../src/modules/media/webhook-scan.driver.js';
import { FakeClamd } from '../../support/fake-clamd.js';
import { type Person, registerMany } from '../../support/people.js';
import { jpeg } from './pictures.js';
import { diskApp, type MediaApp, untilSettled, upload } from './support.js';

/** Only for those that never answer: a slow machine is no reason to fail. */
const IMPATIENT_MS = 500;
const text = { mime: 'text/plain' };

describe('clamd', () => {
  let clamd: FakeClamd;
  beforeAll(async () => {
    clamd = await FakeClamd.start();
  });
  afterAll(() => clamd.stop());
  afterEach(() => {
    clamd.manner = 'honest';
  });
  const scan = (content: Readable) =>
    clamdScan(new URL(clamd.url), content, clamd.manner === 'silent' ? IMPATIENT_MS : undefined);
  const stream = (...parts: (string | Buffer)[]) => Readable.from(parts.map((part) => Buffer.from(part)));

  it('gets every byte and has the say', async () => {
    const large = Buffer.alloc(3_000_000, 'abc');
    expect(await scan(stream(large, 'the end'))).toBeNull();
    expect(clamd.streams.at(-1)?.equals(Buffer.concat([large, Buffer.from('the end')]))).toBe(true);
    expect(await scan(stream('EI', 'CAR'))).toBe('Win.Test.EICAR_HDB-1');
    expect(await scan(stream(Buffer.alloc(0), 'x'))).toBeNull();
  });

  it.each([
    ['silent', 'clamd does not answer'],
    ['garbage', 'clamd answered "HTTP/1.1 400 Bad Request'],
    ['full', 'clamd answered "INSTREAM size limit exceeded. ERROR"'],
    ['hangs up', /clamd answered ""|ECONNRESET|EPIPE/],
  ] as const)('that is %s has not said that the file is clean', async (manner, reason) => {
    clamd.manner = manner;
    await expect(scan(stream('abc'))).rejects.toThrow(reason);
  });

  it('that is not there has not either, nor has one that got half a file', async () => {
    const gone = await FakeClamd.start();
    const { url } = gone;
    await gone.stop();
    await expect(clamdScan(new URL(url), stream('abc'))).rejects.toThrow('ECONNREFUSED');
    async function* broken() {
      yield Buffer.from('ab');
      throw new Error('the store is gone');
    }
    await expect(scan(Readable.from(broken()))).rejects.toThrow('the store is gone');
  });
});

describe('a scanner over HTTP', () => {
  let server: Server;
  let answer: { status: number; body: string } | undefined;
  let seen: { id: string | undefined; body: Buffer };
  beforeAll(async () => {
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        seen = { id: String(request.headers['parley-media-id']), body };
        if (answer) response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const scan = () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scan`;
    return webhookScan(
      url,
      'media-1',
      Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      answer ? undefined : IMPATIENT_MS,
    );
  };

  it('gets the bytes and has the say', async () => {
    answer = { status: 200, body: '{"clean":true}' };
    expect(await scan()).toBeNull();
    expect(seen).toEqual({ id: 'media-1', body: Buffer.from('abc') });
    answer = { status: 201, body: '{"clean":false,"threat":"Worm"}' };
    expect(await scan()).toBe('Worm');
    answer = { status: 200, body: '{"clean":false}' };
    expect(await scan()).toBe('unnamed');
  });

  it.each([
    ['an error', { status: 500, body: '{"clean":true}' }, 'the scanner answered 500'],
    ['a redirect', { status: 302, body: '{"clean":true}' }, 'fetch failed'],
    ['another word', { status: 200, body: '{"clean":"yes"}' }, 'expected boolean'],
    ['a page', { status: 200, body: '<html>clean</html>' }, 'not valid JSON'],
    ['nothing', { status: 200, body: '' }, 'Unexpected end of JSON input'],
    ['silence', undefined, 'timeout'],
  ])('that answers with %s has not said that the file is clean', async (_what, reply, reason) => {
    answer = reply;
    await expect(scan()).rejects.toThrow(reason);
  });
});

describe('files and their scanner', () => {
  let clamd: FakeClamd;
  let parley: MediaApp;
  let ada: Person;
  beforeAll(async () => {
    clamd = await FakeClamd.start();
    parley = await diskApp({ MEDIA_SCAN_URL: clamd.url });
    [ada] = (await registerMany(parley.url, 1)) as [Person];
  });
  afterAll(async () => {
    await parley.close();
    await clamd.stop();
  });

  it('pass it, pictures too, or are quarantined', async () => {
    const picture = await jpeg();
    const [clean, photo, bad] = await Promise.all([
      upload(ada, Buffer.from('clean'), text),
      upload(ada, picture, { mime: 'image/jpeg' }),
      upload(ada, Buffer.from('EICAR'), text),
    ]);
    expect((await untilSettled(ada, clean.body.id)).state).toBe('ready');
    expect((await untilSettled(ada, photo.body.id)).state).toBe('ready');
    expect((await untilSettled(ada, bad.body.id)).state).toBe('quarantined');
    // What the owner sent, before anything else has decoded it.
    expect(clamd.streams.some((stream) => stream.equals(picture))).toBe(true);
    expect((await ada.get(`/api/v1/media/${bad.body.id}/content`)).body).toMatchObject({ code: 'invalid_state' });
  });
});

it('a file that the scanner cannot take holds up no other', async () => {
  const scanner = createServer((request, response) => {
    void buffer(request).then((body) => {
      const status = body.includes('too much') ? 500 : 200;
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"clean":true}');
    });
  });
  await new Promise<void>((resolve) => scanner.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(scanner.address() as AddressInfo).port}`;
  const parley = await diskApp({ MEDIA_SCAN_URL: url });
  try {
    const [ada] = (await registerMany(parley.url, 1)) as [Person];
    const stuck = [];
    for (let i = 0; i < 3; i++) stuck.push((await upload(ada, Buffer.from(`too much ${i}`), text)).body.id);
    const good = (await upload(ada, Buffer.from('good'), text)).body;
    expect((await untilSettled(ada, good.id)).state).toBe('ready');
    for (const id of stuck)
      expect(['uploaded', 'processing']).toContain(
        (await ada.get<{ state: string }>(`/api/v1/media/${id}`)).body.state,
      );
  } finally {
    await parley.close();
    scanner.closeAllConnections();
    await new Promise((resolve) => scanner.close(resolve));
  }
});
