import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { gif, holidayJpeg, jpeg } from './pictures.js';
import {
  announce,
  bytesOf,
  complete,
  diskApp,
  dispositionOf,
  download,
  leave,
  type MediaApp,
  ready,
  sendBytes,
  strictS3App,
  upload,
} from './support.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const pdf = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n');

// One flow for every client, whatever the store.
describe.each([
  ['disk', diskApp, 'put'],
  ['S3 by POST', strictS3App, 'post'],
  ['S3 by PUT', () => strictS3App({ S3_UPLOAD: 'put' }), 'put'],
])('files on %s', (_name, start, strategy) => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await start();
    [ada, bob, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(() => parley.close());

  it('are announced, sent, completed and fetched', async () => {
    const { status, body } = await announce(ada, pdf, { mime: 'application/pdf', name: 'Brief – "neu".pdf' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ strategy, maxBytes: pdf.length, mediaId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect((await ada.get(`/api/v1/media/${body.mediaId}`)).body).toMatchObject({ state: 'pending' });
    expect((await complete(ada, body.mediaId)).body).toMatchObject({ code: 'upload_missing', status: 409 });
    expect((await sendBytes(ada, body, pdf)).ok).toBe(true);
    const done = await complete(ada, body.mediaId);
    expect(done).toMatchObject({
      status: 200,
      body: {
        id: body.mediaId,
        ownerId: ada.id,
        purpose: 'attachment',
        name: 'Brief – "neu".pdf',
        mime: 'application/pdf',
        size: pdf.length,
        sha256: sha256(pdf),
        state: 'ready',
        variants: [],
      },
    });
    expect(await complete(ada, body.mediaId)).toMatchObject({ status: 200, body: done.body });
    const answer = await download(ada, body.mediaId);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(dispositionOf(answer)).toBe(
      `attachment; filename="Brief _ _neu_.pdf"; filename*=UTF-8''Brief%20%E2%80%93%20%22neu%22.pdf`,
    );
    expect(await bytesOf(answer)).toEqual(pdf);
  });

  it('are what was checked: the upload link reaches them no more', async () => {
    const { body } = await announce(ada, pdf, { mime: 'application/pdf' });
    await sendBytes(ada, body, pdf);
    await complete(ada, body.mediaId);
    await sendBytes(ada, body, Buffer.from('<script>alert(1)</script>'.padEnd(pdf.length).slice(0, pdf.length)));
    await complete(ada, body.mediaId);
    expect(await bytesOf(await download(ada, body.mediaId))).toEqual(pdf);
  });

  it('completed twice at once are one file', async () => {
    const { body } = await announce(ada, pdf, { mime: 'application/pdf' });
    await sendBytes(ada, body, pdf);
    const answers = await Promise.all([1, 2, 3, 4].map(() => complete(ada, body.mediaId)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { state: 'ready' } });
    expect(await bytesOf(await download(ada, body.mediaId))).toEqual(pdf);
  });

  it('that are images are written anew: upright, without metadata, with renditions', async () => {
    const original = await holidayJpeg();
    expect((await sharp(original).metadata()).exif?.includes('Parley Camera')).toBe(true);
    const media = await ready(ada, original, { mime: 'image/jpeg' });
    expect(media).toMatchObject({
      state: 'ready',
      width: 200,
      height: 600,
      variants: ['medium', 'thumb'],
      blurhash: expect.stringMatching(/^[\w#$%*+,\-.:;=?@[\]^{|}~]{20,}$/),
    });
    const answer = await download(ada, media.id);
    expect(dispositionOf(answer)).toMatch(/^inline/);
    const served = await bytesOf(answer);
    expect(sha256(served)).toBe(media.sha256);
    expect(served.length).toBe(media.size);
    const { exif, orientation, width, height } = await sharp(served).metadata();
    expect({ exif, orientation, width, height }).toEqual({ width: 200, height: 600 });
    expect(served.includes('Parley Camera')).toBe(false);
  });

  it('that are large images come in smaller sizes', async () => {
    const media = await ready(ada, await jpeg(), { mime: 'image/jpeg' });
    const size = async (variant: string) => {
      const { width, height, format } = await sharp(
        await bytesOf(await download(ada, media.id, { variant })),
      ).metadata();
      return { width, height, format };
    };
    expect(await size('thumb')).toEqual({ width: 320, height: 160, format: 'webp' });
    expect(await size('medium')).toEqual({ width: 1280, height: 640, format: 'webp' });
    expect(await size('original')).toEqual({ width: 1600, height: 800, format: 'jpeg' });
  });

  it('that are animations keep their frames', async () => {
    const media = await ready(ada, await gif(), { mime: 'image/gif' });
    expect(media).toMatchObject({ width: 40, height: 30 });
    expect((await sharp(await bytesOf(await download(ada, media.id))).metadata()).pages).toBe(3);
  });

  it('go with messages, and only members who see one fetch them', async () => {
    const c = await createGroup(ada, [bob]);
    const media = await ready(ada, await jpeg(), { mime: 'image/jpeg', name: 'us.jpg' });
    expect((await bob.get(`/api/v1/media/${media.id}`)).status).toBe(404);
    const message = await send(ada, c, { attachmentIds: [media.id] });
    expect(message.attachments).toEqual([
      {
        mediaId: media.id,
        name: 'us.jpg',
        mime: 'image/jpeg',
        size: media.size,
        width: 1600,
        height: 800,
        durationMs: null,
        blurhash: media.blurhash,
        variants: ['medium', 'thumb'],
        state: 'ready',
      },
    ]);
    expect((await download(bob, media.id, { variant: 'thumb' })).status).toBe(200);
    expect((await eve.get(`/api/v1/media/${media.id}/content`)).status).toBe(404);
    expect((await eve.get(`/api/v1/media/${media.id}/url`)).status).toBe(404);
    await leave(bob, c);
    expect((await bob.get(`/api/v1/media/${media.id}/content`)).status).toBe(404);
    expect((await ada.delete(`/api/v1/media/${media.id}`)).body).toMatchObject({ code: 'invalid_state' });
  });

  it('of another checksum, size or type are rejected, for good', async () => {
    const wrong = await upload(ada, pdf, { mime: 'application/pdf', sha256: '0'.repeat(64) });
    expect(wrong).toMatchObject({
      status: 422,
      body: { code: 'media_rejected', detail: 'Rejected: checksum_mismatch' },
    });
    const html = await upload(ada, Buffer.from('<html><script>alert(1)</script></html>'), { mime: 'image/png' });
    expect(html).toMatchObject({ status: 422, body: { code: 'media_rejected', detail: 'Rejected: type_mismatch' } });
  });
});
