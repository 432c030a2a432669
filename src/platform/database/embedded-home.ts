import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chmod, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runnerFor, type Runner } from './embedded-account.js';
import { locateBinaries, type Binaries } from './embedded-binaries.js';
import { EmbeddedPostgresError } from './embedded-error.js';

const SOCKET_PATH_LIMIT = 103; // sizeof(sun_path) - 1 on the strictest system
const SOCKET_PORT = 5432; // names the socket file, no port is opened

/** What `server.json` holds (0600). `port` counts only where no socket can be used. */
export interface Credentials {
  user: string;
  database: string;
  password: string;
  port: number;
}

/** The directory of one embedded server: data/, server.json, server.log, the lock and the socket. */
export class EmbeddedHome {
  readonly data: string;
  readonly log: string;
  readonly file: string;
  /** Undefined where its path would be too long for a socket. */
  readonly socketDirectory: string | undefined;

  private constructor(
    readonly directory: string,
    readonly binaries: Binaries,
    readonly runner: Runner,
    public credentials: Credentials,
  ) {
    this.data = join(directory, 'data');
    this.log = join(directory, 'server.log');
    this.file = join(directory, 'server.json');
    const socket = Buffer.byteLength(join(directory, `.s.PGSQL.${SOCKET_PORT}`));
    this.socketDirectory = process.platform !== 'win32' && socket <= SOCKET_PATH_LIMIT ? directory : undefined;
  }

  static async open(path: string): Promise<EmbeddedHome> {
    const binaries = await locateBinaries();
    const directory = await makePrivate(path);
    const runner = await runnerFor(directory, [dirname(binaries.postgres)]);
    const none = { user: 'parley', database: 'parley', password: '', port: SOCKET_PORT };
    return new EmbeddedHome(directory, binaries, runner, none);
  }

  get url(): string {
    const { user, password, database, port } = this.credentials;
    const host = this.socketDirectory ? `?host=${encodeURIComponent(this.socketDirectory)}` : '';
    return `postgresql://${user}:${password}@127.0.0.1:${port}/${database}${host}`;
  }

  /** Reads `server.json`; without it nobody knows the password of the data. */
  async load(): Promise<void> {
    try {
      this.credentials = JSON.parse(await readFile(this.file, 'utf8')) as Credentials;
    } catch (cause) {
      throw new EmbeddedPostgresError(
        `${this.data} exists, but ${this.file}, which holds its password, is missing or damaged.`,
        'Put the file back, or move the whole directory away to begin with an empty database.',
        { cause },
      );
    }
  }

  async save(credentials: Credentials): Promise<void> {
    this.credentials = credentials;
    await writeFile(`${this.file}.new`, JSON.stringify(credentials), { mode: 0o600 });
    await rename(`${this.file}.new`, this.file);
  }

  /** Starts a PostgreSQL program as the right account, with nothing of our environment in its own. */
  spawn(program: 'postgres' | 'initdb', args: string[], options: SpawnOptions): ChildProcess {
    const [command = '', ...rest] = [...this.runner.prefix, this.binaries[program], ...args];
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
    return spawn(command, rest, { ...this.runner.options, cwd: this.directory, env, ...options });
  }
}

async function makePrivate(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    await chmod(path, 0o700);
    return await realpath(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new EmbeddedPostgresError(
      `The directory for the embedded PostgreSQL cannot be used (${code}): ${path}`,
      code === 'ENOSPC'
        ? 'Free some disk space, then start again.'
        : 'Give this user the right to write there, name another place with EMBEDDED_PG_DIR, or set DATABASE_URL.',
      { cause },
    );
  }
}
