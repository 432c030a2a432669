import { defineConfig } from 'prisma/config';

// generate, validate and format never run the schema engine but insist on the file being there. Pointing them at an
// executable that exists keeps them working without a download. Never for `migrate`: with a dummy engine it exits 0
// having done nothing.
if (['generate', 'validate', 'format'].includes(process.argv[2] ?? '')) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
}

export default defineConfig({
  schema: 'prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL ? { datasource: { url: process.env.DATABASE_URL } } : {}),
});
