// Plain JavaScript for Node 20: `npm start` and `npm test` may be given in one clone at the same moment.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './node-runtime.mjs';

const file = join(root, '.parley', 'prepare.lock'); // not in node_modules, which an installation deletes

/** Runs `work` while no other process prepares this clone. The file names its holder, a dead one's is taken over. */
export async function withPrepareLock(work) {
  mkdirSync(join(root, '.parley'), { recursive: true });
  for (let i = 0; !acquire(); i++) {
    if (i === 20) process.stderr.write(`Process ${read()} is preparing this clone, waiting for it (${file}).\n`);
    await delay(100);
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function acquire() {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAlive(Number(read()))) rmSync(file, { force: true });
  return false;
}

function read() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
