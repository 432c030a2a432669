// Plain JavaScript for Node 20: this runs before anything is installed.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Ends the process with one line that says what to do. */
export function fail(line, exitCode = 1) {
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}

/** The Node that runs Parley: the one among the packages, or the present one where it is new enough. */
export function node24() {
  const installed = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(installed)) return installed;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath;
  return fail(
    `Parley runs on Node 24.15 or newer and there is no package of it for ${process.platform}-${process.arch}: ` +
      `install Node 24 (this is ${process.versions.node}), then start again.`,
  );
}

/**
 * How Node runs the server, here and in the image: without a limit, up to 190 MB of garbage wait in the young generation
 * before somebody looks through it, which in a small container is where the memory is; with it the server takes no more CPU.
 */
export const serverFlags = ['--max-semi-space-size=16'];

/** What to do about an error of the machine, undefined for any other. Takes an error or the output of a command. */
export function adviceFor(error) {
  const text = String(error?.code ?? '') + String(error?.message ?? error);
  if (/ENOSPC|no space left/i.test(text)) return `The disk is full: free some space for ${root}, then start again.`;
  if (/EACCES|EPERM|EROFS|permission denied/i.test(text)) {
    return `No permission to write in ${root}: start as the owner of that folder, or give this user the right to write.`;
  }
  return undefined;
}
