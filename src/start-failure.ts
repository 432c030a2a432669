import { ConfigError } from './platform/config/config.js';
import { redact } from './platform/database/lifecycle/errors.js';
import type { BootState } from './platform/lifecycle/boot-state.js';
import { createLog } from './platform/logging/create-log.js';

const databasePhases = [
  'connecting',
  'preflight',
  'checking',
  'waiting_lock',
  'reconciling',
  'migrating',
  'seeding',
  'verifying',
];

/** Writes why the boot ended: for a person on a terminal in words, otherwise as the log events an operator searches for. */
export async function reportBootFailure(error: unknown, boot: BootState, hint: string | undefined): Promise<void> {
  const { exitCode = 1, message = String(error) } = (error ?? {}) as { exitCode?: number; message?: string };
  const text = redact(message);
  if (process.stdout.isTTY || error instanceof ConfigError) {
    process.stderr.write(`\n${text}\n${hint ? `${redact(hint)}\n` : ''}(exit code ${exitCode})\n`);
    return;
  }
  const log = await createLog({ level: 'info', pretty: false, base: { version: boot.version } });
  const aborted = exitCode === 130 || exitCode === 143;
  if (!aborted && databasePhases.includes(boot.phase))
    log.error('boot.database.failed', { phase: boot.phase, hint }, 'CRITICAL: DATABASE INITIALIZATION FAILED');
  log.error(aborted ? 'boot.aborted' : 'boot.failed', {
    phase: boot.phase,
    error: text,
    hint,
    exitCode,
    ...(exitCode === 1 || exitCode === 21 ? { err: error } : {}),
  });
  if (process.env['NODE_ENV'] === 'production' && databasePhases.includes(boot.phase)) {
    log.error('boot.exit', { exitCode }, 'PRODUCTION MODE: Exiting due to database failure');
  } else {
    log.error('boot.exit', { exitCode });
  }
  log.pino.flush();
}
