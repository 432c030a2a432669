import { buffer } from 'node:stream/consumers';
import type { Storage } from '../../../src/platform/storage/storage.js';

/** What every driver does, whatever it stands on. `broken` answers one whose store is away. */
export function storageConformance(name: string, storage: () => Storage, broken: () => Promise<Storage>): void {
  const bytes = (text: string) => Buffer.from(text);
  const text = async (key: string) => {
    const stream = await storage().read(key);
    return stream && (await buffer(stream)).toString();
  };
  const keysOf = async (prefix: string) => {
    const keys: string[] = [];
    for await (const { key } of storage().list(prefix)) keys.push(key);
    return keys.toSorted();
  };

  describe(`storage on ${name}`, () => {
    it('answers what was put, and how large it is', async () => {
      const body = Buffer.alloc(300_000, 'x');
      await storage().put('one/a', body, 'text/plain');
      expect(await text('one/a')).toBe(body.toString());
      expect(await storage().head('one/a')).toMatchObject({ key: 'one/a', size: 300_000 });
      expect((await storage().head('one/a'))?.modifiedAt.getTime()).toBeGreaterThan(0);
    });

    it('knows nothing of what was never put', async () => {
      expect(await storage().read('none/a')).toBeUndefined();
      expect(await storage().head('none/a')).toBeUndefined();
      expect(await storage().copy('none/a', 'none/b')).toBe(false);
      expect(await keysOf('none/')).toEqual([]);
      await storage().delete(['none/a']);
    });

    it('copies, and later writes to the source do not reach the copy', async () => {
      await storage().put('two/a', bytes('first'), 'text/plain');
      expect(await storage().copy('two/a', 'two/b')).toBe(true);
      await storage().put('two/a', bytes('second'), 'text/plain');
      await storage().delete(['two/a']);
      expect(await text('two/b')).toBe('first');
    });

    it('lists what begins with a prefix and clears it except what is kept', async () => {
      for (const key of ['three/a', 'three/b', 'three/deep/c', 'threefold/d'])
        await storage().put(key, bytes(key), 'text/plain');
      expect(await keysOf('three/')).toEqual(['three/a', 'three/b', 'three/deep/c']);
      await storage().clear('three/', ['three/b']);
      expect(await keysOf('three/')).toEqual(['three/b']);
      await storage().clear('three/');
      expect(await keysOf('three/')).toEqual([]);
      expect(await text('threefold/d')).toBe('threefold/d');
    });

    it.each([
      '../a',
      'a/../b',
      '/a',
      'a//b',
      'a/',
      '.a',
      'a/.b',
      'A',
      'a\\b',
      'a b',
      'a%2e',
      '',
      'a\0',
      'x'.repeat(201),
    ])('refuses the key %j', async (key) => {
      await expect((async () => storage().put(key, bytes('x'), 'text/plain'))()).rejects.toThrow('not a storage key');
      await expect((async () => storage().read(key))()).rejects.toThrow('not a storage key');
      await expect((async () => storage().delete([key]))()).rejects.toThrow('not a storage key');
    });

    it('is healthy while it works', async () => {
      expect(await storage().check()).toMatchObject({ state: 'healthy', observed: { driver: storage().driver } });
    });

    it('says dependency_unavailable, and when to come back, while the store is away', async () => {
      const away = await broken();
      const refusal = { code: 'dependency_unavailable', details: { retryAfterMs: expect.any(Number) } };
      await expect(away.put('a', bytes('x'), 'text/plain')).rejects.toMatchObject(refusal);
      await expect(away.read('a')).rejects.toMatchObject(refusal);
      await expect(away.copy('a', 'b')).rejects.toMatchObject(refusal);
      await expect(away.check()).rejects.toThrow();
    });
  });
}
