import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = process.cwd();

/**
 * Runs the unmodified Prisma CLI on a database, offline: its schema engine is the one beside this file.
 * @param cwd a folder with `prisma.config.ts`, `prisma/` and a `node_modules` (a link will do); default: Parley itself
 */
export function prisma(args: string[], url: string, cwd = root): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: url,
    PRISMA_SCHEMA_ENGINE_BINARY: join(root, 'test/support/schema-engine/schema-engine.mjs'),
    PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
  };
  const cli = join(root, 'node_modules/prisma/build/index.js');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [cli, ...args], { cwd, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}
