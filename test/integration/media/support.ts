import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MediaView } from '../../../src/modules/media/dto/media.view.js';
import type { UploadView } from '../../../src/modules/media/dto/upload.view.js';
import type { Storage } from '../../../src/platform/storage/storage.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import type { Answer } from '../../support/http-client.js';
import { patiently } from '../../support/patiently.js';
import type { Person } from '../../support/people.js';
import { startS3, startStrictS3, type StrictS3 } from '../../support/s3.js';

/** Parley with a place for files; everything is gone after `close`. */
export interface MediaApp extends TestApp {
  /** Folder of the disk driver. */
  folder: string;
}

export async function diskApp(environment: Record<string, string> = {}): Promise<MediaApp> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-media-'));
  const parley = await createTestApp({ MEDIA_DIR: folder, ...environment });
  const close = async () => {
    await parley.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...parley, folder, close };
}

export async function s3App(environment: Record<string, string> = {}): Promise<MediaApp> {
  const s3 = await startS3();
  const parley = await createTestApp({ ...s3.environment, ...environment });
  const close = async () => {
    await parley.close();
    await s3.stop();
  };
  return { ...parley, folder: '', close };
}

export interface StrictMediaApp extends MediaApp {
  s3: StrictS3;
}

/** On a store that checks signatures, and can be made to fail. */
export async function strictS3App(environment: Record<string, string> = {}): Promise<StrictMediaApp> {
  const s3 = await startStrictS3();
  const parley = await createTestApp({ ...s3.environment, ...environment });
  const close = async () => {
    await parley.close();
    await s3.stop();
  };
  return { ...parley, folder: '', close, s3 };
}

export interface Claim {
  name?: string;
  mime: string;
  size?: number;
  sha256?: string;
  purpose?: 'attachment' | 'avatar';
}

export const announce = (owner: Person, bytes: Uint8Array, claim: Claim): Promise<Answer<UploadView>> =>
  owner.post<UploadView>('/api/v1/media/uploads', { name: 'file', size: bytes.length, ...claim });

/** Sends bytes as the answer to `announce` says. */
export async function sendBytes(owner: Person, upload: UploadView, bytes: Uint8Array): Promise<Response> {
  const url = new URL(upload.url, owner.url);
  if (upload.strategy === 'put') return fetch(url, { method: 'PUT', headers: upload.headers, body: bytes });
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  form.append('file', new Blob([bytes]));
  return fetch(url, { method: 'POST', body: form });
}

export const complete = (owner: Person, id: string): Promise<Answer<MediaView>> =>
  owner.post<MediaView>(`/api/v1/media/uploads/${id}/complete`);

/** Announces, sends and completes; answers what complete did. */
export async function upload(owner: Person, bytes: Uint8Array, claim: Claim): Promise<Answer<MediaView>> {
  const { status, body } = await patiently(() => announce(owner, bytes, claim));
  if (status !== 201) throw new Error(`announce answered ${status}: ${JSON.stringify(body)}`);
  const sent = await sendBytes(owner, body, bytes);
  if (!sent.ok) throw new Error(`the store answered ${sent.status}: ${await sent.text()}`);
  return complete(owner, body.mediaId);
}

/** Waits until the checks of a file are over; answers it. */
export async function untilSettled(owner: Person, id: string): Promise<MediaView> {
  const until = Date.now() + 60_000;
  for (;;) {
    const { status, body } = await owner.get<MediaView>(`/api/v1/media/${id}`);
    if (status !== 200) throw new Error(`get answered ${status}`);
    if (!['pending', 'uploaded', 'processing'].includes(body.state)) return body;
    if (Date.now() > until) throw new Error(`still ${body.state}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Uploads and waits until it is ready. */
export async function ready(owner: Person, bytes: Uint8Array, claim: Claim): Promise<MediaView> {
  const { body } = await upload(owner, bytes, claim);
  const settled = await untilSettled(owner, body.id);
  if (settled.state !== 'ready') throw new Error(`the file is ${settled.state}`);
  return settled;
}

/** Follows the redirect of a file to its bytes. */
export async function download(
  reader: Person,
  id: string,
  { variant = 'original', headers = {} }: { variant?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const { status, headers: answer } = await reader.get(`/api/v1/media/${id}/content?variant=${variant}`);
  if (status !== 302) throw new Error(`content answered ${status}`);
  return fetch(new URL(answer.get('location') ?? '', reader.url), { headers });
}

export const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

/** The disposition a file is served with; of a store, what the link demands. */
export const dispositionOf = (answer: Response): string | null =>
  answer.headers.get('content-disposition') ?? new URL(answer.url).searchParams.get('response-content-disposition');

/** Leaves a group. */
export async function leave(member: Person, c: string): Promise<void> {
  const { status } = await member.delete(`/api/v1/conversations/${c}/members/${member.id}`);
  if (status !== 204) throw new Error(`leaving answered ${status}`);
}

/** Every object of a settled upload is one that its row names, soon: tidying up waits for nobody. */
export async function nothingLeftOver(
  storage: Pick<Storage, 'list'>,
  mediaId: string,
  databaseUrl: string,
): Promise<void> {
  const rows = await query<{ key: string }>(
    `SELECT storage_key AS key FROM media_objects WHERE id = $1
     UNION ALL SELECT storage_key FROM media_variants WHERE media_id = $1`,
    [mediaId],
    databaseUrl,
  );
  const keys = rows.map(({ key }) => key).toSorted();
  const home = (keys[0] ?? '').slice(0, (keys[0]?.lastIndexOf('/') ?? 0) + 1);
  for (let i = 0; ; i++) {
    const there: string[] = [];
    for await (const { key } of storage.list(home)) there.push(key);
    if (i === 600 || JSON.stringify(there.toSorted()) === JSON.stringify(keys)) {
      expect(there.toSorted()).toEqual(keys);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
