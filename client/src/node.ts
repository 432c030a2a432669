import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutboxStoreFactory, StoredSend } from './outbox-store.js';

const name = /^[0-9a-f-]{36}\.json$/;

/** Keeps unsent messages as files below a folder, one per message. They survive a killed process and a power cut. */
export const fileStore =
  (folder: string): OutboxStoreFactory =>
  (userId) => {
    const own = join(folder, userId);
    return {
      load: async () => {
        const files = await readdir(own).catch(() => [] as string[]);
        return Promise.all(
          files
            .filter((file) => name.test(file))
            .map(async (file) => JSON.parse(await readFile(join(own, file), 'utf8')) as StoredSend),
        );
      },
      put: async (item) => {
        await mkdir(own, { recursive: true });
        const file = join(own, `${item.fields.clientId}.json`);
        const handle = await open(`${file}.tmp`, 'w', 0o600);
        try {
          await handle.writeFile(JSON.stringify(item));
          await handle.sync();
        } finally {
          await handle.close();
        }
        // Whole or not at all.
        await rename(`${file}.tmp`, file);
        await syncFolder(own);
      },
      remove: (clientId) => rm(join(own, `${clientId}.json`), { force: true }),
    };
  };

/** Makes a rename durable; Windows cannot open folders and needs no such thing. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Not every file system can.
  } finally {
    await handle?.close();
  }
}
