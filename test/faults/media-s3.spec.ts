import type { IncomingMessage } from 'node:http';
import { jpeg } from '../integration/media/pictures.js';
import {
  announce,
  bytesOf,
  complete,
  download,
  nothingLeftOver,
  sendBytes,
  untilSettled,
} from '../integration/media/support.js';
import { S3Storage } from '../../src/platform/storage/s3-storage.driver.js';
import type { PartsView } from '../../src/modules/media/dto/upload.view.js';
import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { HttpClient } from '../support/http-client.js';
import { type Person, register } from '../support/people.js';
import { startStrictS3, type StrictS3 } from '../support/s3.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

const PART = 5 * 1024 * 1024;

let database: TestDatabase;
let s3: StrictS3;
let storage: S3Storage;
let server: ServerProcess;
let registered: Person;
/** The same person at whichever process is running. */
let ada: Person;

async function start(): Promise<void> {
  server = await startServerProcess({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    LOG_LEVEL: 'warn',
    S3_MULTIPART_BYTES: String(PART),
    ...s3.environment,
  });
  registered ??= await register(server.url, 'Ada');
  const { id, deviceId, sessionId, accessToken, refreshToken, identifier, password } = registered;
  const more = { id, deviceId, sessionId, accessToken, refreshToken, identifier, password };
  ada = Object.assign(new HttpClient(server.url, accessToken), more);
}

beforeAll(async () => {
  [database, s3] = await Promise.all([cloneDatabase(), startStrictS3()]);
  storage = new S3Storage({
    bucket: s3.bucket,
    region: 'us-east-1',
    endpoint: s3.url,
    pathStyle: true,
    upload: 'post',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  });
  await start();
});
afterAll(async () => {
  await server.stop('SIGKILL');
  storage.close();
  await s3.stop();
  await database.drop();
});

/** SIGKILL once the store has carried out such a request, whose answer nobody hears; then another process in its place. */
async function killAt(
  test: (method: string, url: URL, request: IncomingMessage) => boolean,
  work: () => Promise<unknown>,
) {
  const reached = new Promise<void>((resolve) => {
    s3.gate.unanswered = (request) => {
      const hit = test(request.method ?? '', new URL(request.url ?? '/', s3.url), request);
      if (hit) resolve();
      return hit;
    };
  });
  const lost = work().catch(() => undefined);
  await reached;
  await server.stop('SIGKILL');
  s3.gate.unanswered = () => false;
  await lost;
  // A claim is given up after five minutes; nobody waits for that here.
  await query(
    `UPDATE media_objects SET uploaded_at = uploaded_at - interval '6 minutes' WHERE state = 'processing'`,
    [],
    database.url,
  );
  await start();
}

const isSignedByServer = ({ headers }: IncomingMessage) => headers.authorization !== undefined;

describe('killed with SIGKILL, on S3', () => {
  it.each<[string, (method: string, url: URL, request: IncomingMessage) => boolean]>([
    ['with the upload copied', (method, _, { headers }) => method === 'PUT' && 'x-amz-copy-source' in headers],
    [
      'with the upload settled and not yet tidied',
      (method, { searchParams }) => method === 'POST' && searchParams.has('delete'),
    ],
    [
      'with one rendition stored',
      (method, _, request) =>
        method === 'PUT' && isSignedByServer(request) && !('x-amz-copy-source' in request.headers),
    ],
  ])('%s: the next process finishes it, and nothing is left over', async (_name, test) => {
    const picture = await jpeg();
    const { body } = await announce(ada, picture, { mime: 'image/jpeg' });
    expect((await sendBytes(ada, body, picture)).ok).toBe(true);
    await killAt(test, () => complete(ada, body.mediaId));
    expect((await complete(ada, body.mediaId)).status).toBe(200);
    expect(await untilSettled(ada, body.mediaId)).toMatchObject({ state: 'ready', variants: ['medium', 'thumb'] });
    for (const variant of ['original', 'medium', 'thumb'])
      expect((await bytesOf(await download(ada, body.mediaId, { variant }))).length).toBeGreaterThan(100);
    await nothingLeftOver(storage, body.mediaId, database.url);
  });

  it('with the parts of a large file joined: it is completed again', async () => {
    const large = Buffer.alloc(PART + 10, 'x');
    const { mediaId } = (await announce(ada, large, { mime: 'application/octet-stream' })).body;
    const { items } = (await ada.get<PartsView>(`/api/v1/media/uploads/${mediaId}/parts`)).body;
    for (const { number, url } of items) {
      const body = large.subarray((number - 1) * PART, number * PART);
      expect((await fetch(url ?? '', { method: 'PUT', body })).ok).toBe(true);
    }
    await killAt(
      (method, { searchParams }) => method === 'POST' && searchParams.has('uploadId'),
      () => complete(ada, mediaId),
    );
    expect((await ada.get(`/api/v1/media/${mediaId}`)).body).toMatchObject({ state: 'pending' });
    expect(await complete(ada, mediaId)).toMatchObject({ status: 200, body: { state: 'ready', size: large.length } });
    await nothingLeftOver(storage, mediaId, database.url);
  });
});
