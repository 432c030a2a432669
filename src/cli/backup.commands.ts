import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { audit } from '../platform/database/lifecycle/audit.js';
import { backup, type BackupReport } from '../platform/database/lifecycle/backup.js';
import { loadMigrations } from '../platform/database/lifecycle/migration-files.js';
import { looking, writing } from '../platform/database/lifecycle/operate.js';
import { restore } from '../platform/database/lifecycle/restore.js';
import type { Session } from '../platform/database/lifecycle/session.js';
import type { LifecycleOptions } from '../platform/database/lifecycle/types.js';
import { now } from '../platform/clock/clock.js';
import type { CliCommand } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { withDatabase } from './database-target.js';

const USAGE = 2;
const BACKUP_FAILED = 30;
const RESTORE_FAILED = 31;

/** The backup could not be made; exit 30. */
class BackupError extends Error {
  readonly exitCode = BACKUP_FAILED;
}

/** The backup could not be loaded; exit 31. */
class RestoreError extends Error {
  readonly exitCode = RESTORE_FAILED;
}

async function takeBackup(options: LifecycleOptions, file: string): Promise<BackupReport & { recorded: boolean }> {
  const { manifest } = options;
  if (!manifest) throw new BackupError('this build has no schema manifest; run: npm run manifest');
  return looking(options, async ({ session }) => {
    const report = await session.use((client) =>
      backup(client, { schema: options.schema ?? 'public', file, appVersion: options.appVersion, manifest }),
    );
    const { tables, rows, takenAt } = report;
    return { ...report, recorded: await record(session, { tables, rows, takenAt }) };
  }).catch((error: unknown) => {
    throw error instanceof Error && 'exitCode' in error
      ? error
      : new BackupError(`no backup was written: ${(error as Error).message}`, { cause: error });
  });
}

/** So that the age of the last backup is known. A backup is good without it: the server may be one that only reads. */
const record = (session: Session, detail: Record<string, unknown>): Promise<boolean> =>
  audit(session, { action: 'backup.taken', detail }).then(
    () => true,
    () => false,
  );

/** Writes a backup into a folder under a name made of the time, and answers its path. */
export async function backupInto(options: LifecycleOptions, folder: string): Promise<string> {
  const file = join(folder, `parley-${now().toISOString().replaceAll(/[:.]/g, '-')}.backup`);
  await takeBackup(options, file);
  return file;
}

export const backupCommand: CliCommand = {
  name: 'backup',
  summary:
    'Write everything in the database, as of one instant, to one file, while the server goes on. Exit 30 when it fails.',
  options: {
    out: { type: 'string', description: 'the file, or a folder; default BACKUP_LOCATION' },
    'record-only': {
      type: 'boolean',
      description: 'write none: one was made by other means, such as a snapshot, and its age is to be watched',
    },
  },
  examples: [
    'parley backup --out /backups',
    'parley backup --out before-upgrade.backup',
    'parley backup --record-only',
  ],
  run: (invocation) =>
    withDatabase(invocation, async ({ config, options }) => {
      const { out, 'record-only': recordOnly } = invocation.flags;
      if (recordOnly === true) {
        const recorded = await looking(options, ({ session }) => record(session, { elsewhere: true }));
        if (!recorded) throw new BackupError('the backup could not be recorded: this database takes no writes');
        invocation.print({ recorded }, () => 'recorded as the last backup');
        return 0;
      }
      const target = typeof out === 'string' ? out : config.BACKUP_LOCATION;
      if (!target) {
        invocation.note('parley backup: say where with --out, or set BACKUP_LOCATION');
        return USAGE;
      }
      const isFolder = await stat(target).then(
        (found) => found.isDirectory(),
        () => false,
      );
      const file = isFolder ? join(target, `parley-${now().toISOString().replaceAll(/[:.]/g, '-')}.backup`) : target;
      const report = await takeBackup(options, file);
      if (!report.recorded) invocation.note('this backup is not recorded: the database takes no writes');
      invocation.print(
        report,
        () => `${report.rows} rows of ${report.tables} tables in ${report.file}, as of ${report.takenAt}`,
      );
      return 0;
    }),
};

export const restoreCommand: CliCommand = {
  name: 'restore',
  summary: 'Load a backup into an empty database and compare every table with its sum. Exit 31 when it fails.',
  usage: '--in <file>',
  options: { in: { type: 'string', description: 'the backup' }, ...yesIMeanIt },
  examples: ['DATABASE_URL=postgresql://.../empty parley restore --in /backups/parley-2026-11-21.backup'],
  run: (invocation) => {
    const file = invocation.flags['in'];
    if (typeof file !== 'string' || file === '') {
      invocation.note('parley restore: name the file with --in');
      return Promise.resolve(USAGE);
    }
    return withDatabase(invocation, async ({ config, options }) => {
      await confirm(`Load ${file} into this database?`, invocation.flags, config);
      const migrations = await loadMigrations(options.migrationsDir);
      const report = await writing(options, ({ session }) =>
        session.use((client) => restore(client, { schema: options.schema ?? 'public', file, migrations })),
      ).catch((error: unknown) => {
        throw error instanceof Error && 'exitCode' in error
          ? error
          : new RestoreError(`nothing was restored: ${(error as Error).message}`, { cause: error });
      });
      invocation.print(
        report,
        () =>
          `${report.rows} rows of ${report.tables} tables restored, as of ${report.takenAt}. Start Parley: it upgrades the schema if this build is newer.`,
      );
      return 0;
    });
  },
};
