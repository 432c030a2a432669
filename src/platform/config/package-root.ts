import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/** The folder that holds package.json and prisma/, wherever the running file lies below it (source, build or bundle). */
export function packageRoot(): string {
  for (let folder = import.meta.dirname; found === undefined; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'prisma'))) found = folder;
    else if (dirname(folder) === folder) throw new Error('package.json and prisma/ are not above the running file');
  }
  return found;
}

/** The version of this build. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
