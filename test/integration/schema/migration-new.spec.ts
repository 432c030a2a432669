import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A copy of what authoring needs; the built library and the dependencies are the real ones. */
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'parley-new-'));
  const parts = [
    'prisma',
    'prisma.config.ts',
    'package.json',
    'scripts/migrations',
    'scripts/manifest.mjs',
    'test/support/schema-engine',
  ];
  for (const part of parts) cpSync(part, join(project, part), { recursive: true });
  for (const part of ['node_modules', 'dist']) symlinkSync(join(process.cwd(), part), join(project, part));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const script = (name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'scripts/migrations', name), ...args], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: undefined, NO_COLOR: '1' },
  });
  return { code: status, output: stdout + stderr };
};
const migration = (name: string): string => {
  const folder = join(project, 'prisma/migrations');
  const found = readdirSync(folder).find((entry) => entry.endsWith(`_${name}`));
  return found === undefined ? '' : readFileSync(join(folder, found, 'migration.sql'), 'utf8');
};
const model = (file: string) => join(project, 'prisma/models', file);
const edit = (file: string, from: RegExp, to: string) =>
  writeFileSync(model(file), readFileSync(model(file), 'utf8').replace(from, to));

const NEW_MODELS = `
enum Mood {
  good
  bad

  @@map("mood")
}

model UserMood {
  userId String @id @map("user_id") @db.Uuid
  mood   Mood

  @@map("user_moods")
}
`;

// In order: each test goes on from the models and migrations of the one before.
it('writes nothing while models and migrations agree', () => {
  expect(script('new.mjs', 'nothing')).toMatchObject({ code: 1, output: expect.stringContaining('agree') });
  expect(script('new.mjs', 'Bad-Name')).toMatchObject({ code: 1, output: expect.stringContaining('Usage') });
});

it('writes what is new in guarded form, an index on an existing table alone and concurrently', () => {
  appendFileSync(model('users.prisma'), NEW_MODELS);
  edit('users.prisma', /@@map\("user_preferences"\)/, '@@index([rev])\n  @@map("user_preferences")');
  edit('users.prisma', /(\n {2}bio .*)/, '$1\n  pronouns String?');
  expect(script('new.mjs', 'moods')).toMatchObject({ code: 0, output: expect.stringContaining('problems: 0') });
  const written = migration('moods');
  expect(written).toMatch(/^-- lifecycle: expand\n/);
  expect(written).toContain(`IF to_regtype('"mood"') IS NULL THEN`);
  expect(written).toContain('CREATE TABLE IF NOT EXISTS "user_moods"');
  expect(written).toContain('ALTER TABLE "users" ADD COLUMN IF NOT EXISTS "pronouns" TEXT;');
  expect(written).not.toContain('INDEX');
  expect(migration('moods_user_preferences_rev_idx')).toBe(
    '-- lifecycle: expand, no-transaction\n\n' +
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "user_preferences_rev_idx" ON "user_preferences"("rev");\n',
  );
  const manifest = readFileSync(join(project, 'prisma/schema.manifest.json'), 'utf8');
  expect(manifest).toContain('_moods_user_preferences_rev_idx"');
  expect(script('new.mjs', 'again')).toMatchObject({ code: 1, output: expect.stringContaining('agree') });
});

it('refuses what breaks running builds, until it is declared with the next epoch', () => {
  edit('users.prisma', /\n {2}pronouns String\?/, '');
  expect(script('new.mjs', 'drop_pronouns')).toMatchObject({ code: 1, output: expect.stringContaining('DROP needs') });
  for (const entry of readdirSync(join(project, 'prisma/migrations'))) {
    if (entry.endsWith('drop_pronouns')) rmSync(join(project, 'prisma/migrations', entry), { recursive: true });
  }
  expect(script('new.mjs', 'drop_pronouns', '--contract')).toMatchObject({ code: 0 });
  expect(migration('drop_pronouns')).toBe(
    '-- lifecycle: contract epoch=1\n\nALTER TABLE "users" DROP COLUMN IF EXISTS "pronouns";\n',
  );
});

it('seals what is released, and nothing released may be edited', () => {
  expect(script('release.mjs')).toMatchObject({ code: 0, output: expect.stringContaining('_moods') });
  expect(script('release.mjs')).toMatchObject({ code: 0, output: expect.stringContaining('Nothing new') });
  expect(script('lint.mjs')).toMatchObject({ code: 0 });
  const folder = readdirSync(join(project, 'prisma/migrations')).find((entry) => entry.endsWith('_moods')) ?? '';
  appendFileSync(join(project, 'prisma/migrations', folder, 'migration.sql'), '\n-- a note\n');
  expect(script('lint.mjs')).toMatchObject({ code: 1, output: expect.stringContaining('was edited') });
});
