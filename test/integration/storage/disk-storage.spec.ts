import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DiskStorage } from '../../../src/platform/storage/disk-storage.driver.js';
import { storageConformance } from './storage-conformance.js';

let folder: string;
let disk: DiskStorage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-storage-'));
  disk = new DiskStorage(join(folder, 'media'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

storageConformance(
  'disk',
  () => disk,
  async () => {
    // A file where the folder should be fails for every user, root included.
    await writeFile(join(folder, 'file'), '');
    return new DiskStorage(join(folder, 'file'));
  },
);

describe('uploads to disk', () => {
  const incoming = () => readdir(join(folder, 'media', '.incoming'));

  it('appear whole', async () => {
    await disk.access.receive('up/a', Readable.from([Buffer.from('ab'), Buffer.from('c')]), 3);
    const stream = await disk.read('up/a');
    expect(stream && (await buffer(stream)).toString()).toBe('abc');
    expect(await incoming()).toEqual([]);
  });

  it('of too many bytes end at the first one too many and leave nothing', async () => {
    let sent = 0;
    async function* endless() {
      for (;;) {
        sent += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    await expect(disk.access.receive('up/b', Readable.from(endless()), 100_000)).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(sent).toBeLessThan(10_000_000);
    expect(await disk.head('up/b')).toBeUndefined();
    expect(await incoming()).toEqual([]);
  });

  it('that are given up leave nothing, and an earlier object stays', async () => {
    await disk.put('up/c', Buffer.from('whole'));
    async function* broken() {
      yield Buffer.from('ha');
      throw new Error('gone');
    }
    await expect(disk.access.receive('up/c', Readable.from(broken()), 100)).rejects.toThrow('gone');
    expect((await disk.head('up/c'))?.size).toBe(5);
    expect(await incoming()).toEqual([]);
  });

  it('that a killed process left behind are removed when they are old', async () => {
    const old = join(folder, 'media', '.incoming', 'old');
    await writeFile(old, 'x');
    await utimes(old, new Date(0), new Date(0));
    await writeFile(join(folder, 'media', '.incoming', 'new'), 'x');
    await disk.removeAbandoned();
    expect(await incoming()).toEqual(['new']);
  });
});

it('what others put into the folder is not listed', async () => {
  await mkdir(join(folder, 'media', 'foreign'), { recursive: true });
  await writeFile(join(folder, 'media', 'foreign', 'READ ME.txt'), 'x');
  const keys: string[] = [];
  for await (const { key } of disk.list('foreign/')) keys.push(key);
  expect(keys).toEqual([]);
  expect((await stat(join(folder, 'media', 'foreign', 'READ ME.txt'))).isFile()).toBe(true);
});
