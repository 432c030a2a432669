import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isServerOn } from './embedded-process.js';

/** Process id of the server that runs on an embedded installation's data, undefined when none does. Starts nothing. */
export async function runningEmbedded(directory: string): Promise<number | undefined> {
  try {
    const data = join(await realpath(directory), 'data');
    const pid = Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10);
    return isServerOn(pid, data) ? pid : undefined;
  } catch {
    return undefined;
  }
}
