import type { MediaView } from '../../../src/modules/media/dto/media.view.js';
import type { UploadView } from '../../../src/modules/media/dto/upload.view.js';
import { createTestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import type { Trouble } from '../../support/signing-gate.js';
import type { StrictS3 } from '../../support/s3.js';
import { patiently } from '../../support/patiently.js';
import { connect, type Connection, type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { jpeg } from './pictures.js';
import {
  announce,
  bytesOf,
  complete,
  download,
  type MediaApp,
  ready,
  sendBytes,
  strictS3App,
  untilSettled,
} from './support.js';

const text = Buffer.from('some text');
const claim = { mime: 'text/plain' };
const unavailable = { status: 503, body: { code: 'dependency_unavailable' } };

let parley: MediaApp & { s3: StrictS3 };
let ada: Person;
let bob: Person;
beforeAll(async () => {
  parley = await strictS3App();
  [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
});
afterEach(() => {
  parley.s3.gate.trouble = undefined;
});
afterAll(() => parley.close());

/** What is known of the store may be some seconds old. */
const announced = async (): Promise<UploadView> => (await patiently(() => announce(ada, text, claim))).body;

// F27, F28 and F33: whatever the store does, it costs files and nothing else.
describe('a store in trouble', () => {
  let c: string;
  let socket: Connection;
  let shown: MediaView;
  const begun: UploadView[] = [];
  const troubles: [string, Trouble][] = [
    ['does not answer', 'silent'],
    ['resets connections', 'reset'],
    ['says 403 AccessDenied', { status: 403, code: 'AccessDenied' }],
    ['says 403 ExpiredToken', { status: 403, code: 'ExpiredToken' }],
    ['says 503 SlowDown', { status: 503, code: 'SlowDown' }],
    ['says 500 InternalError', { status: 500, code: 'InternalError' }],
  ];
  beforeAll(async () => {
    socket = await connect(bob);
    c = await createGroup(ada, [bob]);
    shown = await ready(ada, text, claim);
    for (const _ of troubles) {
      const upload = await announced();
      expect((await sendBytes(ada, upload, text)).ok).toBe(true);
      begun.push(upload);
    }
  });
  afterAll(() => socket.close());

  it.each(troubles)(
    'that %s is not noticed by who writes, and what was begun is finished later',
    async (_what, trouble) => {
      const { gate } = parley.s3;
      const mediaId = begun.pop()?.mediaId ?? '';
      gate.trouble = trouble;
      const failing = complete(ada, mediaId);
      const message = await send(ada, c, { body: 'with a file', attachmentIds: [shown.id] });
      expect(message.attachments).toMatchObject([{ mediaId: shown.id }]);
      await socket.until<{ v: { seq: number } }>('change', ({ v }) => v.seq === message.seq);
      // Links are made without asking the store.
      expect((await bob.get(`/api/v1/media/${shown.id}/content`)).status).toBe(302);
      const refused = await failing;
      expect(refused).toMatchObject(unavailable);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // Now it is known. The store is not asked again for each one who is told to come back later.
      const before = gate.requests;
      for (let i = 0; i < 10; i++) expect(await announce(ada, text, claim)).toMatchObject(unavailable);
      expect(gate.requests - before).toBeLessThan(10);
      gate.trouble = undefined;
      // At once, or when the breaker asks the store again.
      const completed = await patiently(() => complete(ada, mediaId));
      expect(completed).toMatchObject({ status: 200, body: { state: 'ready' } });
      expect(await bytesOf(await download(bob, shown.id))).toEqual(text);
    },
  );

  it('takes files again by itself', async () => {
    const upload = await announced();
    expect((await sendBytes(ada, upload, text)).ok).toBe(true);
  });

  it('does not keep a replica from starting and from being ready', async () => {
    parley.s3.gate.trouble = 'silent';
    const second = await createTestApp(parley.s3.environment, { databaseUrl: parley.databaseUrl });
    const { status, body } = await new HttpClient(second.url).get<{ status: string }>('/ready');
    await second.close();
    expect({ status, said: body.status }).toEqual({ status: 200, said: 'degraded' });
  });
});

it('keeps a picture waiting while the store is away', async () => {
  const picture = await jpeg();
  await announced();
  const { body } = await announce(ada, picture, { mime: 'image/jpeg' });
  await sendBytes(ada, body, picture);
  // Every request after the copy and the look at it fails: those of the renditions.
  const { gate } = parley.s3;
  const before = gate.requests;
  const completing = complete(ada, body.mediaId);
  while (gate.requests < before + 3) await new Promise((resolve) => setImmediate(resolve));
  gate.trouble = { status: 503, code: 'SlowDown' };
  await completing;
  const refusals = gate.refusals.length;
  while (gate.refusals.length < refusals + 3) await new Promise((resolve) => setTimeout(resolve, 20));
  const { state } = (await ada.get<{ state: string }>(`/api/v1/media/${body.mediaId}`)).body;
  expect(['uploaded', 'processing']).toContain(state);
  gate.trouble = undefined;
  expect((await untilSettled(ada, body.mediaId)).state).toBe('ready');
});

it('a store that is only slow is only slow', async () => {
  await announced();
  parley.s3.gate.trouble = { delayMs: 200 };
  const media = await ready(ada, text, claim);
  expect(await bytesOf(await download(ada, media.id))).toEqual(text);
});
