import { randomBytes } from 'node:crypto';
import { Parley } from '../../../client/src/index.js';
import type { PartsView } from '../../../src/modules/media/dto/upload.view.js';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import { type PartedAccess, Storage } from '../../../src/platform/storage/storage.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';
import {
  announce,
  bytesOf,
  complete,
  download,
  type MediaApp,
  s3App,
  type StrictMediaApp,
  strictS3App,
} from './support.js';

/** The smallest part that S3 takes. */
const PART = 5 * 1024 * 1024;
const SIZE = 2 * PART + 1000;
const settings = { S3_MULTIPART_BYTES: String(PART), MEDIA_MAX_BYTES: String(4 * PART) };
const claim = { mime: 'application/octet-stream' };
const large = randomBytes(SIZE);
const cut = (number: number) => large.subarray((number - 1) * PART, number * PART);

const listParts = (person: Person, id: string, more = '') =>
  person.get<PartsView>(`/api/v1/media/uploads/${id}/parts${more}`);
const put = (url: string | null | undefined, body: Uint8Array) => fetch(String(url), { method: 'PUT', body });
/** Sends these parts as they are. */
async function sendParts(person: Person, id: string, numbers: readonly number[]): Promise<void> {
  const { items } = (await listParts(person, id)).body;
  for (const number of numbers) {
    const answer = await put(items[number - 1]?.url, cut(number));
    if (!answer.ok) throw new Error(`part ${number}: ${answer.status} ${await answer.text()}`);
  }
}
const code = (name: string) => ({ body: { code: name } });

describe.each<[string, (environment: Record<string, string>) => Promise<MediaApp>, boolean]>([
  ['a store that checks signatures', strictS3App, true],
  ['a store that checks nothing', s3App, false],
])('a large file on %s', (_name, start, strict) => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    parley = await start(settings);
    [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
  });
  afterAll(() => parley.close());

  const announced = async () => (await announce(ada, large, claim)).body.mediaId;

  it('comes in parts, in any order, and is joined once', async () => {
    const { status, body } = await announce(ada, large, claim);
    expect({ status, body }).toMatchObject({ status: 201, body: { strategy: 'multipart', maxBytes: SIZE } });
    expect(body.url).toMatch(new RegExp(`/api/v1/media/uploads/${body.mediaId}/parts$`));
    const id = body.mediaId;
    const first = await listParts(ada, id);
    expect(first.body).toMatchObject({ count: 3, partBytes: PART });
    expect(first.body.items.map(({ number, size }) => [number, size])).toEqual([
      [1, PART],
      [2, PART],
      [3, 1000],
    ]);
    await sendParts(ada, id, [3, 1]);
    // Whoever lost the thread asks: only the second is left.
    const again = (await listParts(ada, id)).body.items;
    expect(again.map(({ url }) => url === null)).toEqual([true, false, true]);
    expect((await listParts(ada, id, '?from=2&limit=1')).body.items.map(({ number }) => number)).toEqual([2]);
    expect(await complete(ada, id)).toMatchObject({ status: 409, ...code('upload_missing') });
    await sendParts(ada, id, [2]);
    const answers = await Promise.all([1, 2, 3].map(() => complete(ada, id)));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 200, body: { id, state: 'ready', size: SIZE } });
    expect((await bytesOf(await download(ada, id))).equals(large)).toBe(true);
    expect(await listParts(ada, id)).toMatchObject({ status: 409, ...code('invalid_state') });
    // The links of its parts end with it.
    expect((await put(again[1]?.url, cut(2))).status).toBe(404);
  });

  it('that was joined before the answer got lost is only completed', async () => {
    const id = await announced();
    await sendParts(ada, id, [1, 2, 3]);
    const [row] = await query<{ key: string; uploadId: string }>(
      'SELECT storage_key AS key, upload_id AS "uploadId" FROM media_objects WHERE id = $1',
      [id],
      parley.databaseUrl,
    );
    const { access } = parley.app.nest.get(Storage, { strict: false });
    const { parts } = access as { parts: PartedAccess };
    const upload = { key: row?.key ?? '', uploadId: row?.uploadId ?? '', size: SIZE, partBytes: PART };
    expect(await parts.join(upload)).toEqual([]);
    expect(await parts.join(upload)).toEqual([]);
    expect((await listParts(ada, id)).body.items.map(({ url }) => url)).toEqual([null, null, null]);
    expect(await complete(ada, id)).toMatchObject({ status: 200, body: { state: 'ready', size: SIZE } });
  });

  it('takes no part that is none, of another size, or of somebody else', async () => {
    const id = await announced();
    for (const from of ['0', '-1', '1.5', 'x', '4', '10001'])
      expect(await listParts(ada, id, `?from=${from}`)).toMatchObject({ status: 400, ...code('validation_failed') });
    for (const limit of ['0', '1001'])
      expect(await listParts(ada, id, `?limit=${limit}`)).toMatchObject({ status: 400, ...code('validation_failed') });
    expect(await listParts(bob, id)).toMatchObject({ status: 404, ...code('not_found') });
    expect((await complete(bob, id)).status).toBe(404);
    const { items } = (await listParts(ada, id)).body;
    await sendParts(ada, id, [1, 2]);
    // Shorter and longer than said: refused by the signature, or found out by the store's own list.
    for (const body of [large.subarray(0, 10), large.subarray(0, 2000)]) {
      expect((await put(items[2]?.url, body)).status).toBe(strict ? 403 : 200);
      expect(await complete(ada, id)).toMatchObject({ status: 409, ...code('upload_missing') });
    }
    if (strict) {
      const elsewhere = new URL(String(items[2]?.url));
      elsewhere.searchParams.set('partNumber', '4');
      expect((await put(elsewhere.href, cut(3))).status).toBe(403);
    }
    expect((await listParts(ada, id)).body.items.map(({ url }) => url === null)).toEqual([true, true, false]);
    await sendParts(ada, id, [3]);
    expect(await complete(ada, id)).toMatchObject({ status: 200, body: { state: 'ready' } });
  });

  it('small files come in one piece, and have no parts', async () => {
    const { body } = await announce(ada, large.subarray(0, PART), claim);
    expect(body.strategy).toBe('post');
    expect(await listParts(ada, body.mediaId)).toMatchObject({ status: 409, ...code('invalid_state') });
    expect((await announce(ada, large, { ...claim, size: 4 * PART + 1 })).status).toBe(413);
  });

  it('that is called off leaves nothing', async () => {
    const id = await announced();
    const [url] = (await listParts(ada, id)).body.items.map((item) => item.url);
    await sendParts(ada, id, [1]);
    expect((await ada.delete(`/api/v1/media/${id}`)).status).toBe(204);
    expect((await put(url, cut(1))).status).toBe(404);
    expect((await listParts(ada, id)).status).toBe(404);
    expect((await complete(ada, id)).status).toBe(404);
  });

  it('that is not finished within a day is over', async () => {
    const id = await announced();
    await listParts(ada, id);
    await query(
      `UPDATE media_objects SET created_at = now() - interval '25 hours' WHERE id = $1`,
      [id],
      parley.databaseUrl,
    );
    expect(await listParts(ada, id)).toMatchObject({ status: 410, ...code('upload_expired') });
    expect((await complete(ada, id)).status).toBe(409);
    await query(`UPDATE media_objects SET created_at = now() WHERE id = $1`, [id], parley.databaseUrl);
  });
});

describe('a large file, the client and the sweep', () => {
  let parley: StrictMediaApp;
  let ada: Person;
  beforeAll(async () => {
    parley = await strictS3App(settings);
    [ada] = (await registerMany(parley.url, 1)) as [Person];
  });
  afterEach(() => {
    const { gate } = parley.s3;
    [gate.trouble, gate.ageMs, gate.onPass] = [undefined, 0, () => undefined];
  });
  afterAll(() => parley.close());

  const client = () => Parley.login(parley.url, { identifier: ada.identifier, password: ada.password });
  const file = () => new Blob([large], { type: claim.mime });

  it('a network that is away for a while costs time and no part twice', async () => {
    const { gate } = parley.s3;
    const one = await client();
    const progress: number[] = [];
    const parts: string[] = [];
    gate.onPass = (method, { searchParams }) => {
      const number = searchParams.get('partNumber');
      if (method !== 'PUT' || number === null) return;
      // The first one arrives; then the line is cut, and comes back after three attempts.
      if (parts.push(number) > 1) return;
      gate.trouble = 'reset';
      const before = gate.requests;
      const back = setInterval(() => {
        if (gate.requests < before + 3) return;
        clearInterval(back);
        gate.trouble = undefined;
      }, 5);
    };
    const media = await one.api.upload(file(), { name: 'film', onProgress: (sent) => progress.push(sent) });
    one.close();
    expect(media).toMatchObject({ state: 'ready', size: SIZE });
    expect((await bytesOf(await download(ada, media.id))).equals(large)).toBe(true);
    expect(parts.toSorted()).toEqual(['1', '2', '3']);
    expect(progress.at(-1)).toBe(SIZE);
  });

  it('an upload that is called off is aborted', async () => {
    const one = await client();
    const call = new AbortController();
    parley.s3.gate.onPass = (method) => method === 'PUT' && call.abort();
    await expect(one.api.upload(file(), { signal: call.signal })).rejects.toThrow('aborted');
    one.close();
    const rows = await query<{ state: string }>(
      `SELECT state FROM media_objects WHERE name = 'file' ORDER BY created_at DESC LIMIT 1`,
      [],
      parley.databaseUrl,
    );
    expect(rows).toEqual([{ state: 'deleted' }]);
  });

  it('what nobody will finish is swept once it is old, whether a row knows it or not', async () => {
    const { gate } = parley.s3;
    const storage = parley.app.nest.get(Storage, { strict: false });
    const { parts } = storage.access as { parts: PartedAccess };
    const orphan = { key: 'media/ab/orphan/upload', size: SIZE, partBytes: PART };
    const uploadId = await parts.begin(orphan.key, claim.mime);
    const { mediaId } = (await announce(ada, large, claim)).body;
    const known = (await listParts(ada, mediaId)).body.items;
    const sweep = () => parley.app.nest.get(BackgroundWork).runJob('media.sweep');
    await sweep();
    expect(await parts.listPresent({ ...orphan, uploadId }, 1, 1)).toEqual(new Set());
    gate.ageMs = 26 * 3_600_000;
    await sweep();
    expect(await parts.listPresent({ ...orphan, uploadId }, 1, 1)).toBeUndefined();
    expect((await put(known[0]?.url, cut(1))).status).toBe(404);
  });
});
