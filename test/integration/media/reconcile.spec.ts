import { execFile } from 'node:child_process';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MediaReconciliation } from '../../../src/modules/media/dto/reconciliation.view.js';
import { MediaService } from '../../../src/modules/media/media.service.js';
import { Storage } from '../../../src/platform/storage/storage.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';
import { root } from '../../support/server-process.js';
import { createGroup, send } from '../messages/support.js';
import { jpeg } from './pictures.js';
import {
  announce,
  bytesOf,
  diskApp,
  download,
  type MediaApp,
  ready,
  sendBytes,
  type StrictMediaApp,
  strictS3App,
  untilSettled,
} from './support.js';

const text = { mime: 'text/plain' };

const isStrict = (app: MediaApp): app is StrictMediaApp => 's3' in app;

describe.each<[string, () => Promise<MediaApp>]>([
  ['disk', diskApp],
  ['S3', strictS3App],
])('store and table on %s', (_name, start) => {
  let parley: MediaApp;
  let ada: Person;
  let bob: Person;
  let storage: Storage;
  beforeAll(async () => {
    parley = await start();
    [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
    storage = parley.app.nest.get(Storage, { strict: false });
  });
  afterAll(() => parley.close());

  const reconcile = (apply = false) => parley.app.nest.get(MediaService, { strict: false }).reconcile({ apply });
  const keysOf = async (id: string): Promise<Record<string, string>> => {
    const rows = await query<{ variant: string; key: string }>(
      `SELECT 'original' AS variant, storage_key AS key FROM media_objects WHERE id = $1
       UNION ALL SELECT variant, storage_key FROM media_variants WHERE media_id = $1`,
      [id],
      parley.databaseUrl,
    );
    return Object.fromEntries(rows.map(({ variant, key }) => [variant, key]));
  };
  /** Nothing is looked for before it is some time old. */
  const age = () =>
    query(`UPDATE media_objects SET created_at = created_at - interval '2 hours'`, [], parley.databaseUrl);
  /** Old: a file system lets a test set the time, of a bucket everything that is listed from now on looks old. */
  const putOld = async (key: string, body: string) => {
    await storage.put(key, Buffer.from(body), 'text/plain');
    if (isStrict(parley)) parley.s3.gate.ageMs = 25 * 3_600_000;
    else await utimes(join(parley.folder, key), new Date(0), new Date(0));
  };

  it('agree, also about what is under way', async () => {
    const pending = (await announce(ada, Buffer.from('text'), text)).body;
    await sendBytes(ada, pending, Buffer.from('text'));
    await ready(ada, await jpeg(), { mime: 'image/jpeg' });
    await ready(ada, Buffer.from('text'), text);
    await storage.put('media/ab/young/object', Buffer.from('x'), 'text/plain');
    await age();
    expect(await reconcile()).toMatchObject({
      driver: storage.driver,
      consistent: true,
      applied: false,
      rows: 3,
      elsewhere: 0,
      orphans: [],
      lost: [],
      resized: [],
    });
  });

  it('what is lost is told, and taken away or made again when that is wanted', async () => {
    const c = await createGroup(ada, [bob]);
    const picture = await ready(ada, await jpeg(), { mime: 'image/jpeg' });
    const note = await ready(ada, Buffer.from('text'), text);
    await send(ada, c, { attachmentIds: [picture.id, note.id] });
    const [pictureKeys, noteKeys] = [await keysOf(picture.id), await keysOf(note.id)];
    await storage.delete([pictureKeys['thumb'] ?? '', noteKeys['original'] ?? '']);
    await age();

    const found = await reconcile();
    expect(found).toMatchObject({ consistent: false, applied: false, removed: 0, rejected: 0, renderedAgain: 0 });
    expect(found.lost).toEqual(
      expect.arrayContaining([
        { id: picture.id, ownerId: ada.id, state: 'ready', variant: 'thumb', key: pictureKeys['thumb'] },
        { id: note.id, ownerId: ada.id, state: 'ready', variant: 'original', key: noteKeys['original'] },
      ]),
    );
    expect(found.lost).toHaveLength(2);
    expect((await ada.get(`/api/v1/media/${note.id}`)).body).toMatchObject({ state: 'ready' });

    expect(await reconcile(true)).toMatchObject({ applied: true, rejected: 1, renderedAgain: 1 });
    expect((await ada.get(`/api/v1/media/${note.id}`)).body).toMatchObject({ state: 'rejected' });
    expect(await untilSettled(ada, picture.id)).toMatchObject({ state: 'ready', variants: ['medium', 'thumb'] });
    expect((await bytesOf(await download(bob, picture.id, { variant: 'thumb' }))).length).toBeGreaterThan(0);
    expect(await reconcile()).toMatchObject({ lost: [] });
  });

  it('what nothing refers to is told, and removed when that is wanted', async () => {
    const kept = await ready(ada, Buffer.from('kept'), text);
    await storage.delete(['media/ab/young/object']);
    await putOld('media/ab/unknown/object', 'orphan');
    await putOld('elsewhere/object', 'not ours');
    expect((await reconcile()).orphans).toEqual([{ key: 'media/ab/unknown/object', size: 6 }]);
    expect(await storage.head('media/ab/unknown/object')).toBeDefined();
    expect(await reconcile(true)).toMatchObject({ removed: 1 });
    expect(await storage.head('media/ab/unknown/object')).toBeUndefined();
    expect(await reconcile()).toMatchObject({ orphans: [], lost: [] });
    expect(await storage.head('elsewhere/object')).toBeDefined();
    expect(await bytesOf(await download(ada, kept.id))).toEqual(Buffer.from('kept'));
  });

  it('a file that changed under Parley is told and left alone', async () => {
    const media = await ready(ada, Buffer.from('text'), text);
    const key = (await keysOf(media.id))['original'] ?? '';
    await storage.put(key, Buffer.from('another'), 'text/plain');
    expect((await reconcile(true)).resized).toEqual([{ id: media.id, key, size: 4, found: 7 }]);
    expect((await ada.get(`/api/v1/media/${media.id}`)).body).toMatchObject({ state: 'ready' });
  });
});

it('parley media reconcile: a dry run first, exit 1 for differences, JSON for machines', async () => {
  const parley = await diskApp();
  try {
    const [ada] = (await registerMany(parley.url, 1)) as [Person];
    await ready(ada, Buffer.from('text'), text);
    const storage = parley.app.nest.get(Storage, { strict: false });
    const key = 'media/ab/unknown/object';
    await storage.put(key, Buffer.from('orphan'), 'text/plain');
    await utimes(join(parley.folder, key), new Date(0), new Date(0));
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [join(root, 'dist/cli.js'), 'media', 'reconcile', ...args], {
        cwd: root,
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: parley.databaseUrl,
          MEDIA_DIR: parley.folder,
          APP_SECRET: 'test-secret-test-secret-test-secret-test',
          NODE_ENV: 'test',
        },
      }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
      );
    const dry = await run('--json');
    expect(dry.code).toBe(1);
    expect(JSON.parse(dry.stdout)).toMatchObject({ applied: false, orphans: [{ key, size: 6 }] } satisfies Partial<
      Record<keyof MediaReconciliation, unknown>
    >);
    expect((await run()).stdout).toContain('Nothing was changed.');
    expect((await run('--apply')).code).toBe(2);
    expect(await storage.head(key)).toBeDefined();
    expect(await run('--apply', '--yes-i-mean-it')).toMatchObject({ code: 0 });
    expect(await storage.head(key)).toBeUndefined();
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining('Store and table agree.') });
  } finally {
    await parley.close();
  }
});
