import { readdir } from 'node:fs/promises';
import sharp from 'sharp';
import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { bombPng, flicker, gif, holidayJpeg, jpeg, png } from './pictures.js';
import {
  announce,
  bytesOf,
  complete,
  diskApp,
  download,
  leave,
  type MediaApp,
  ready,
  s3App,
  sendBytes,
  untilSettled,
  upload,
} from './support.js';

const html = Buffer.from('<!doctype html><script>alert(document.domain)</script>');
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

describe('hostile files', () => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    parley = await diskApp({ MEDIA_MAX_BYTES: '5000000' });
    [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
  });
  afterAll(() => parley.close());

  const text = { mime: 'text/plain' };
  const announced = async (bytes: Uint8Array, claim = text) => (await announce(ada, bytes, claim)).body;

  describe('while they are sent', () => {
    it.each([
      ['beyond the largest size', { size: 5_000_001 }, 413, 'payload_too_large'],
      ['programs', { mime: 'application/x-msdownload' }, 415, 'unsupported_media_type'],
      ['avatars that are no image', { purpose: 'avatar', mime: 'image/svg+xml' }, 415, 'unsupported_media_type'],
      ['no bytes', { size: 0 }, 400, 'validation_failed'],
      ['half a byte', { size: 1.5 }, 400, 'validation_failed'],
      ['a type with a line break', { mime: 'text/plain\r\nX-Evil: 1' }, 400, 'validation_failed'],
      ['a name with a line break', { name: 'a\r\nX-Evil: 1' }, 400, 'validation_failed'],
      ['a name that is turned around', { name: 'gpj\u202Eexe.' }, 400, 'validation_failed'],
      ['an unknown member', { storageKey: 'x' }, 400, 'validation_failed'],
    ])('%s are refused at once', async (_what, claim, status, code) => {
      const answer = await ada.post('/api/v1/media/uploads', { name: 'a', size: 10, mime: 'text/plain', ...claim });
      expect(answer).toMatchObject({ status, body: { code } });
    });

    it('more bytes than announced are refused, said or unsaid, and nothing of them is kept', async () => {
      const body = await announced(Buffer.from('12345'));
      const url = new URL(body.url, parley.url);
      expect((await fetch(url, { method: 'PUT', body: '123456' })).status).toBe(413);
      const unsaid = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.alloc(100_000));
          controller.close();
        },
      });
      const answer = await fetch(url, { method: 'PUT', body: unsaid, duplex: 'half' });
      expect(answer.status).toBe(413);
      expect(await complete(ada, body.mediaId)).toMatchObject({ body: { code: 'upload_missing' } });
      expect(await readdir(`${parley.folder}/.incoming`)).toEqual([]);
    });

    it('fewer bytes than announced are rejected', async () => {
      const body = await announced(Buffer.from('12345'));
      expect((await sendBytes(ada, body, Buffer.from('123'))).status).toBe(204);
      expect(await complete(ada, body.mediaId)).toMatchObject({
        body: { code: 'media_rejected', detail: 'Rejected: size_mismatch' },
      });
    });

    it('a link serves its file alone, unchanged and in time', async () => {
      const [one, two] = [await announced(html), await announced(html)];
      const { searchParams } = new URL(one.url, parley.url);
      const put = async (path: string) => {
        const answer = await fetch(`${parley.url}${path}`, { method: 'PUT', body: new Uint8Array(html) });
        return { status: answer.status, ...((await answer.json()) as { code: string }) };
      };
      const [exp, sig] = [Number(searchParams.get('exp')), searchParams.get('sig')];
      const files = '/api/v1/media/files';
      const invalid = { status: 403, code: 'signature_invalid' };
      expect(await put(`${files}/${two.mediaId}?exp=${exp}&sig=${sig}`)).toMatchObject(invalid);
      expect(await put(`${files}/${one.mediaId}?exp=${exp + 1}&sig=${sig}`)).toMatchObject(invalid);
      expect(await put(`${files}/${one.mediaId}?exp=${exp}&sig=${sig?.slice(0, -2)}AA`)).toMatchObject(invalid);
      expect(await put(`${files}/${one.mediaId}?exp=${exp}&sig=`)).toMatchObject(invalid);
      // A link to send is no link to fetch.
      const get = await fetch(`${parley.url}${files}/${one.mediaId}/original?exp=${exp}&sig=${sig}`);
      expect(get.status).toBe(403);
    });

    it("nobody completes, sees or deletes another's upload", async () => {
      const { mediaId } = await announced(html);
      expect((await complete(bob, mediaId)).status).toBe(404);
      expect((await bob.get(`/api/v1/media/${mediaId}`)).status).toBe(404);
      expect((await bob.delete(`/api/v1/media/${mediaId}`)).status).toBe(404);
    });

    it.each(['../../etc/passwd', '..\\..\\boot.ini', '/etc/passwd', 'a%2e%2e%2fb', 'CON', 'x.png.exe'])(
      'the name %j is a name and no path',
      async (name) => {
        const { body } = await upload(ada, html, { ...text, name });
        expect(body).toMatchObject({ state: 'ready', name });
        const answer = await download(ada, body.id);
        expect(await bytesOf(answer)).toEqual(html);
        expect(answer.headers.get('content-disposition')).not.toMatch(/filename="[^"]*[/\\%]/);
      },
    );

    it.each(['..%2f..%2fetc%2fpasswd', 'original%00', 'upload'])('the rendition %j is none', async (variant) => {
      const media = await ready(ada, html, text);
      const answer = await fetch(`${parley.url}/api/v1/media/files/${media.id}/${variant}?exp=1&sig=x`);
      expect([400, 404]).toContain(answer.status);
    });
  });

  describe('once they are looked at', () => {
    it.each<[string, () => Buffer | Promise<Buffer>, string]>([
      ['HTML as PNG', () => html, 'image/png'],
      ['a script in SVG as JPEG', () => svg, 'image/jpeg'],
      ['a program as text', () => Buffer.from('MZ\x90\0\x03\0\0\0'), 'text/plain'],
      [
        'a program without a type',
        () => Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(100)]),
        'application/octet-stream',
      ],
      ['bytes as text', () => Buffer.from([1, 2, 3, 0, 255]), 'text/csv'],
      ['an image as PDF', png, 'application/pdf'],
      ['a PDF as MP4', () => Buffer.from('%PDF-1.7\n'), 'video/mp4'],
    ])('%s is rejected', async (_what, make, mime) => {
      const answer = await upload(ada, await make(), { mime });
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'media_rejected', detail: 'Rejected: type_mismatch' },
      });
    });

    it('a polyglot is only the image it begins with', async () => {
      const payload = Buffer.from('<script>alert("polyglot")</script>PK\x03\x04');
      for (const [make, mime] of [
        [gif, 'image/gif'],
        [jpeg, 'image/jpeg'],
        [png, 'image/png'],
      ] as const) {
        const media = await ready(ada, Buffer.concat([await make(), payload]), { mime });
        expect((await bytesOf(await download(ada, media.id))).includes('polyglot')).toBe(false);
      }
    });

    it('an image under the wrong image type is served as what it is', async () => {
      const media = await ready(ada, await png(), { mime: 'image/jpeg' });
      expect(media.mime).toBe('image/png');
      expect((await download(ada, media.id)).headers.get('content-type')).toBe('image/png');
    });

    it('a decompression bomb is rejected by its header', async () => {
      const { body } = await upload(ada, bombPng(), { mime: 'image/png' });
      expect(await untilSettled(ada, body.id)).toMatchObject({ state: 'rejected' });
      expect((await ada.get(`/api/v1/media/${body.id}/content`)).body).toMatchObject({ code: 'invalid_state' });
      expect(await complete(ada, body.id)).toMatchObject({
        body: { code: 'media_rejected', detail: 'Rejected: too_many_pixels' },
      });
    });

    it('an animation of more frames than anybody needs is rejected', async () => {
      const { body } = await upload(ada, await flicker(501), { mime: 'image/gif' });
      expect((await untilSettled(ada, body.id)).state).toBe('rejected');
      expect(await complete(ada, body.id)).toMatchObject({
        body: { code: 'media_rejected', detail: 'Rejected: too_many_frames' },
      });
    });

    it('half an image is rejected', async () => {
      const { body } = await upload(ada, (await jpeg()).subarray(0, 600), { mime: 'image/jpeg' });
      expect((await untilSettled(ada, body.id)).state).toBe('rejected');
    });

    it('where a picture was taken is told to nobody', async () => {
      const media = await ready(ada, await holidayJpeg(), { mime: 'image/jpeg' });
      for (const variant of ['original', 'thumb', 'medium']) {
        const { exif, icc, xmp, iptc } = await sharp(
          await bytesOf(await download(ada, media.id, { variant })),
        ).metadata();
        expect({ exif, icc, xmp, iptc }).toEqual({});
      }
    });

    it.each([
      ['SVG', svg, 'image/svg+xml', 'image/svg+xml'],
      ['HTML', html, 'text/html', 'text/html; charset=utf-8'],
      ['XML', Buffer.from('<?xml version="1.0"?><a/>'), 'application/xml', 'application/xml'],
    ])('%s is saved, never shown', async (_what, bytes, mime, contentType) => {
      const media = await ready(ada, bytes, { mime, name: 'a' });
      const { headers } = await download(ada, media.id);
      expect(headers.get('content-type')).toBe(contentType);
      expect(headers.get('content-disposition')).toMatch(/^attachment;/);
      expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    });
  });

  describe('while they are fetched', () => {
    it('a download link is bound to its file, rendition and time', async () => {
      const [one, two] = [await ready(ada, await png(), { mime: 'image/png' }), await ready(ada, html, text)];
      const { body } = await ada.get<{ url: string; expiresAt: string }>(`/api/v1/media/${one.id}/url?variant=thumb`);
      const left = new Date(body.expiresAt).getTime() - Date.now();
      expect(left).toBeGreaterThan(100_000);
      expect(left).toBeLessThanOrEqual(121_000);
      const { search, searchParams } = new URL(body.url, parley.url);
      const status = async (path: string) => (await fetch(`${parley.url}/api/v1/media/files/${path}`)).status;
      expect(await status(`${one.id}/thumb${search}`)).toBe(200);
      expect(await status(`${one.id}/original${search}`)).toBe(403);
      expect(await status(`${two.id}/thumb${search}`)).toBe(403);
      const exp = Number(searchParams.get('exp'));
      expect(await status(`${one.id}/thumb?exp=${exp + 60}&sig=${searchParams.get('sig')}`)).toBe(403);
      expect(await status(`${one.id}/thumb`)).toBe(400);
    });

    it('membership counts at each fetch, and so does the message', async () => {
      const c = await createGroup(ada, [bob]);
      const media = await ready(ada, html, text);
      const message = await send(ada, c, { attachmentIds: [media.id] });
      expect((await download(bob, media.id)).status).toBe(200);
      await ada.delete(`/api/v1/conversations/${c}/messages/${message.seq}`);
      expect((await bob.get(`/api/v1/media/${media.id}/content`)).status).toBe(404);
      const again = await send(ada, c, { attachmentIds: [media.id] });
      expect(again.attachments).toHaveLength(1);
      expect((await download(bob, media.id)).status).toBe(200);
      await leave(bob, c);
      for (const path of ['', '/content', '/url'])
        expect((await bob.get(`/api/v1/media/${media.id}${path}`)).status).toBe(404);
    });

    it('who joins without the history does not see its files', async () => {
      const c = await createGroup(ada, [], { settings: { historyForNewMembers: 'none' } });
      const media = await ready(ada, html, text);
      await send(ada, c, { attachmentIds: [media.id] });
      const { status } = await ada.post(`/api/v1/conversations/${c}/members`, { userIds: [bob.id] });
      expect(status).toBeLessThan(300);
      expect((await bob.get(`/api/v1/media/${media.id}`)).status).toBe(404);
      await send(ada, c, { attachmentIds: [media.id] });
      expect((await bob.get(`/api/v1/media/${media.id}`)).status).toBe(200);
    });

    it("another's file cannot be sent", async () => {
      const media = await ready(ada, html, text);
      const c = await createGroup(bob, [ada]);
      const answer = await bob.post(`/api/v1/conversations/${c}/messages`, {
        clientId: crypto.randomUUID(),
        attachmentIds: [media.id],
      });
      expect(answer.body).toMatchObject({ code: 'invalid_state' });
    });
  });

  describe('ranges and conditions', () => {
    it('are those of HTTP', async () => {
      const body = Buffer.from('0123456789');
      const media = await ready(ada, body, text);
      const get = (headers: Record<string, string>) => download(ada, media.id, { headers });
      const whole = await get({});
      const etag = whole.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[0-9a-f]+"$/);
      expect(whole.headers.get('accept-ranges')).toBe('bytes');
      const part = await get({ range: 'bytes=2-4' });
      expect({ status: part.status, range: part.headers.get('content-range'), text: await part.text() }).toEqual({
        status: 206,
        range: 'bytes 2-4/10',
        text: '234',
      });
      expect((await get({ range: 'bytes=-3' })).status).toBe(206);
      // fetch adds `Cache-Control: no-cache`, which asks for the question to be put, not for another answer.
      expect((await get({ 'if-none-match': etag })).status).toBe(304);
      expect((await get({ range: 'bytes=2-4', 'if-range': etag })).status).toBe(206);
      expect((await get({ range: 'bytes=2-4', 'if-range': '"other"' })).status).toBe(200);
      const beyond = await get({ range: 'bytes=20-30' });
      expect(beyond.status).toBe(416);
      expect(beyond.headers.get('content-range')).toBe('bytes */10');
      expect(await beyond.json()).toMatchObject({ code: 'range_not_satisfiable' });
    });
  });
});

describe('links of the store', () => {
  let parley: MediaApp;
  let ada: Person;
  beforeAll(async () => {
    parley = await s3App();
    [ada] = (await registerMany(parley.url, 1)) as [Person];
  });
  afterAll(() => parley.close());

  it('that check nothing change nothing: what they let through is caught at completion', async () => {
    const bytes = Buffer.from('12345');
    const tricks: [Record<string, string>, Buffer, string][] = [
      [{}, Buffer.from('123456'), 'media_rejected'],
      [{ key: 'media/other' }, bytes, 'upload_missing'],
      [{}, Buffer.from([0, 1, 2, 3, 4]), 'media_rejected'],
    ];
    for (const [fields, file, code] of tricks) {
      const { body } = await announce(ada, bytes, { mime: 'text/plain' });
      await sendBytes(ada, { ...body, fields: { ...body.fields, ...fields } }, file);
      expect(await complete(ada, body.mediaId)).toMatchObject({ body: { code } });
    }
  });
});
