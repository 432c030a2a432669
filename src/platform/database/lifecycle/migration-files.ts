import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { codeOf, LifecycleError } from './errors.js';
import type { Lane } from './manifest.js';
import { holdsStatement } from './sql-lexer.js';

export interface MigrationFile {
  name: string;
  sql: string;
  /** SHA-256 of the bytes, lower-case hex: what stock Prisma writes to the history. */
  checksum: string;
  /** Checksums of the same text with the other line endings: a checkout that converts them is no edit. */
  foldedChecksums: readonly string[];
  lane: Lane;
  /** `contract epoch=N`; 0 for an expand file. */
  epoch: number;
  /** The file only changes data and may run again after a crash whose effect cannot be seen in the schema. */
  idempotentData: boolean;
}

const namePattern = /^\d{14}_[a-z0-9_]+$/;
/** The whole file is one message and one transaction; bulk data belongs into batches of a background job. */
const sizeLimit = 16 * 1024 * 1024;

const invalid = (name: string, why: string, hint?: string): LifecycleError =>
  new LifecycleError('config', `migration ${name}: ${why}`, { hint, details: { migration: name } });

/**
 * Reads all migrations in the order they apply. Any file that cannot be trusted refuses the whole boot, by name. Reads
 * them at once: some dozens of small files take a fraction of the time that as many asynchronous reads do.
 */
export async function loadMigrations(directory: string): Promise<MigrationFile[]> {
  const files = listMigrations(directory).map((name) => loadMigration(directory, name));
  checkProvider(directory, files.length > 0);
  return files;
}

function listMigrations(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((e) => e.name);
    const odd = names.find((name) => !namePattern.test(name));
    if (odd !== undefined) throw invalid(odd, 'the folder name is not <14 digits>_<lower_case_words>');
    return names.sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    if (error instanceof LifecycleError) throw error;
    throw new LifecycleError('config', `the migrations folder cannot be read (${codeOf(error) ?? 'error'})`, {
      cause: error,
      hint: 'It must be shipped with the build: prisma/migrations.',
    });
  }
}

function checkProvider(directory: string, required: boolean): void {
  const text = readable(join(directory, 'migration_lock.toml'));
  const provider = text === undefined ? undefined : /^\s*provider\s*=\s*"([^"]*)"/m.exec(text)?.[1];
  if (provider === 'postgresql' || (text === undefined && !required)) return;
  throw new LifecycleError(
    'config',
    text === undefined
      ? 'migration_lock.toml is missing or unreadable'
      : `migration_lock.toml names the provider ${provider === undefined ? 'nowhere' : `"${provider}"`}, not "postgresql"`,
    { hint: 'Put back the file as committed: provider = "postgresql".' },
  );
}

function readable(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function loadMigration(directory: string, name: string): MigrationFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, name, 'migration.sql'));
  } catch (error) {
    const code = codeOf(error);
    throw invalid(
      name,
      code === 'ENOENT' ? 'has no migration.sql' : `migration.sql cannot be read (${code ?? 'error'})`,
    );
  }
  if (bytes.length > sizeLimit) {
    throw invalid(
      name,
      `migration.sql has ${(bytes.length / 1024 / 1024).toFixed(1)} MB, the limit is ${sizeLimit / 1024 / 1024} MB`,
      'Load bulk data in batches with a background job, or split the file.',
    );
  }
  return parseMigration(name, bytes);
}

/** Exposed for tools that hold the bytes already. */
export function parseMigration(name: string, bytes: Buffer): MigrationFile {
  if (!isUtf8(bytes)) throw invalid(name, 'migration.sql is not UTF-8', 'Save it as UTF-8 without a byte order mark.');
  const sql = bytes.toString();
  if (sql.startsWith('\uFEFF')) throw invalid(name, 'migration.sql begins with a byte order mark', 'Save it without.');
  if (sql.includes('\0')) throw invalid(name, 'migration.sql contains a NUL byte');
  if (!holdsStatement(sql)) throw invalid(name, 'migration.sql holds no statement');
  return {
    name,
    sql,
    checksum: sha256(bytes),
    get foldedChecksums() {
      const lf = sql.replaceAll('\r\n', '\n');
      return [sha256(lf), sha256(lf.replaceAll('\n', '\r\n'))];
    },
    ...directives(name, sql),
  };
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/** Reads the `-- lifecycle: a, b` lines among the comments at the head of the file. */
function directives(name: string, sql: string): Pick<MigrationFile, 'lane' | 'epoch' | 'idempotentData'> {
  const found = { lane: 'transactional' as Lane, epoch: 0, idempotentData: false };
  for (const line of sql.split('\n')) {
    const text = line.trim();
    if (text !== '' && !text.startsWith('--')) break;
    const list = /^--\s*lifecycle:\s*(.*)$/.exec(text)?.[1];
    for (const directive of list?.split(',').map((part) => part.trim()) ?? []) {
      const epoch = /^contract epoch=([1-9]\d{0,5})$/.exec(directive)?.[1];
      if (epoch !== undefined) found.epoch = Number(epoch);
      else if (directive === 'no-transaction') found.lane = 'no-transaction';
      else if (directive === 'idempotent-data') found.idempotentData = true;
      else if (directive !== 'expand') throw invalid(name, `unknown directive "${directive}" after "-- lifecycle:"`);
    }
  }
  return found;
}
