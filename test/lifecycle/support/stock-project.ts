import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prisma } from '../../support/schema-engine/prisma-cli.js';

/** The unmodified Prisma CLI on the database of a URL, with the migrations of a build. */
export type StockCli = (url: string, ...args: string[]) => ReturnType<typeof prisma>;

/** A project as stock Prisma wants it, around a build of a scene. */
export async function stockProject(build: string, models = ''): Promise<StockCli> {
  const cwd = join(build, '..', 'project');
  await mkdir(cwd, { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(cwd, 'node_modules')).catch(() => undefined);
  await writeFile(join(cwd, 'schema.prisma'), `datasource db {\n  provider = "postgresql"\n}\n\n${models}`);
  await writeFile(
    join(cwd, 'prisma.config.ts'),
    `export default { schema: 'schema.prisma', migrations: { path: '${build}' }, datasource: { url: process.env.DATABASE_URL } };\n`,
  );
  return (url, ...args) => prisma(args, url, cwd);
}
