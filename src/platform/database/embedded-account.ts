import type { SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.js';

/** An unprivileged account of this machine. */
export interface Account {
  uid: number;
  gid: number;
}

/** How a PostgreSQL program is started: command, arguments before its own, and the account for `spawn`. */
export interface Runner {
  prefix: string[];
  options: Pick<SpawnOptions, 'uid' | 'gid'>;
  account: Account | undefined;
}

const SETPRIV = '/usr/bin/setpriv';
const CAPABILITIES: [name: string, bit: bigint][] = [
  ['dac_read_search', 2n],
  ['dac_override', 1n],
];
const CAP_SETPCAP = 8n;

/**
 * PostgreSQL refuses to run as root, so root runs it as an account that exists already: the owner of the directory, or
 * of the folder it is made in, or the first of postgres, nobody, daemon. Anybody else runs it as themselves.
 */
export async function runnerFor(directory: string, paths: string[]): Promise<Runner> {
  if (process.getuid?.() !== 0) return { prefix: [], options: {}, account: undefined };
  const account = (await owner(directory)) ?? (await owner(dirname(dirname(directory)))) ?? (await known());
  await chown(directory, account.uid, account.gid);
  for (const path of [directory, ...paths]) {
    const closed = await closedFolder(await realpath(path), account);
    if (closed) return { prefix: await throughClosedFolders(account, closed), options: {}, account };
  }
  return { prefix: [], options: account, account };
}

async function owner(path: string): Promise<Account | undefined> {
  const { uid, gid } = await stat(path);
  return uid === 0 || !(await accounts()).some((account) => account.uid === uid) ? undefined : { uid, gid };
}

async function known(): Promise<Account> {
  const all = await accounts();
  for (const name of ['postgres', 'nobody', 'daemon']) {
    const account = all.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (account) return { uid: account.uid, gid: account.gid };
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and there is no account postgres, nobody or daemon to run it as.',
    'Start Parley as an ordinary user, or set DATABASE_URL.',
  );
}

async function accounts(): Promise<(Account & { name: string })[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.map((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}

/** The first folder on the way to `path` which the account may not pass, as a clone under /root (0700) has one. */
async function closedFolder(path: string, account: Account): Promise<string | undefined> {
  const { mode, uid, gid } = await stat(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  const parent = dirname(path);
  const closed = parent === path ? undefined : await closedFolder(parent, account);
  return closed ?? ((mode >> shift) & 1 ? undefined : path);
}

/**
 * The server keeps its unprivileged account but gets the one capability of passing closed folders, so that neither the
 * folder's mode nor the place of the data has to change.
 */
async function throughClosedFolders(account: Account, closed: string): Promise<string[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: bigint): boolean => ((bounding >> bit) & 1n) === 1n;
  const capability = CAPABILITIES.find(([, bit]) => has(bit))?.[0];
  if (!capability || !has(CAP_SETPCAP) || !existsSync(SETPRIV)) {
    throw new EmbeddedPostgresError(
      `PostgreSQL does not run as root, and the account it would run as (uid ${account.uid}) may not pass ${closed}.`,
      `Run \`chmod o+x ${closed}\`, move the project to a folder others may enter, start as an ordinary user, or set DATABASE_URL.`,
    );
  }
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  // Without the secure bit access(2), by which the programs look for each other, disregards the capability.
  const rights = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--securebits=+no_setuid_fixup'];
  return [SETPRIV, ...ids, ...rights, '--'];
}
