import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { announce, complete, diskApp, leave, type MediaApp, ready, sendBytes, strictS3App } from './support.js';

const text = Buffer.from('some text');
const claim = { mime: 'text/plain' };

/** Repeats until the answer has another status than `status`; answers that one. */
async function after(status: number, use: () => Promise<Response>): Promise<number> {
  for (let i = 0; i < 400; i++) {
    const answer = await use();
    await answer.arrayBuffer();
    if (answer.status !== status) return answer.status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still ${status} after 20 s`);
}

// The links are short-lived for real: nobody moves a clock here.
describe.each<[string, () => Promise<MediaApp>, number, number]>([
  ['disk', () => diskApp({ MEDIA_URL_TTL: '1', MEDIA_UPLOAD_TTL: '1' }), 204, 410],
  ['S3', () => strictS3App({ MEDIA_URL_TTL: '1', MEDIA_UPLOAD_TTL: '1' }), 204, 403],
])('links on %s', (_name, start, sent, expired) => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    parley = await start();
    [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
  });
  afterAll(() => parley.close());

  it('end: nobody sends by an old one, and the upload says so', async () => {
    const { body } = await announce(ada, text, claim);
    expect(await after(sent, () => sendBytes(ada, body, text))).toBe(expired);
    const late = (await announce(ada, text, claim)).body;
    for (let code = 'upload_missing'; code === 'upload_missing';) {
      code = String(((await complete(ada, late.mediaId)).body as unknown as { code: string }).code);
      expect(['upload_missing', 'upload_expired']).toContain(code);
    }
  });

  it('end: who has left the conversation gets no new one, and the old one is soon worth nothing', async () => {
    const c = await createGroup(ada, [bob]);
    const media = await ready(ada, text, claim);
    await send(ada, c, { attachmentIds: [media.id] });
    const { body } = await bob.get<{ url: string; expiresAt: string }>(`/api/v1/media/${media.id}/url`);
    await leave(bob, c);
    for (const path of ['url', 'content'])
      expect((await bob.get(`/api/v1/media/${media.id}/${path}`)).status).toBe(404);
    expect(await after(200, () => fetch(new URL(body.url, parley.url)))).toBe(403);
    expect(new Date(body.expiresAt).getTime()).toBeLessThanOrEqual(Date.now() + 1000);
  });
});

it('on disk lead to the address by which they were asked for, or to the public one', async () => {
  for (const address of [undefined, 'https://chat.example/parley/']) {
    const parley = await diskApp(address === undefined ? {} : { PUBLIC_URL: address });
    try {
      const [ada] = (await registerMany(parley.url, 1)) as [Person];
      const { body } = await announce(ada, text, claim);
      const base = address ?? `${parley.url}/`;
      expect(body.url.startsWith(`${base}api/v1/media/files/`)).toBe(true);
    } finally {
      await parley.close();
    }
  }
});
