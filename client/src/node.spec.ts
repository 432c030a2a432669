import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore } from './node.js';
import type { StoredSend } from './outbox-store.js';

const ME = '0190a000-0000-7000-8000-000000000001';
const item = (n: number): StoredSend => ({
  conversationId: '0190a000-0000-7000-8000-0000000000c1',
  fields: { clientId: `0190a000-0000-7000-8000-00000000000${n}`, body: `message ${n}` },
  order: n,
  createdAt: '2026-01-01T00:00:00.000Z',
  problem: null,
});

describe('fileStore', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-outbox-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const loaded = async (userId = ME) => (await fileStore(folder)(userId).load()).toSorted((a, b) => a.order - b.order);

  it('gives a later program what an earlier one put, and nobody else', async () => {
    const store = fileStore(folder)(ME);
    expect(await store.load()).toEqual([]);
    await Promise.all([store.put(item(1)), store.put(item(2))]);
    expect(await loaded()).toEqual([item(1), item(2)]);
    expect(await loaded('somebody-else')).toEqual([]);
  });

  it('replaces a message as a whole, and removes it once for all', async () => {
    const store = fileStore(folder)(ME);
    await store.put(item(1));
    await store.put({ ...item(1), order: 7 });
    expect(await loaded()).toEqual([{ ...item(1), order: 7 }]);
    await store.remove(item(1).fields.clientId);
    await store.remove(item(1).fields.clientId);
    expect(await loaded()).toEqual([]);
  });

  it('takes what a killed program had not finished writing for nothing', async () => {
    const store = fileStore(folder)(ME);
    await store.put(item(1));
    await writeFile(join(folder, ME, `${item(2).fields.clientId}.json.tmp`), '{"conversationId":"0190');
    expect(await loaded()).toEqual([item(1)]);
    await store.put(item(2));
    expect(await readdir(join(folder, ME))).toEqual([item(1), item(2)].map(({ fields }) => `${fields.clientId}.json`));
  });
});
