import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { strictAdapterFactory } from './strict-adapter.mjs';

// A dependency of the adapter, not of ours: taken from where the adapter finds it.
const { bindMigrationAwareSqlAdapterFactory } = createRequire(
  createRequire(import.meta.url).resolve('@prisma/adapter-pg'),
)('@prisma/driver-adapter-utils');

/**
 * Prisma's schema engine compiled to WebAssembly, loaded by hand: the package's own entry imports the `.wasm` as an ES
 * module, which Node does not do without a flag.
 */
const load = async () => {
  const url = new URL(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const runtime = await import(url.href);
  const bytes = readFileSync(new URL('schema_engine_bg.wasm', url));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { './schema_engine_bg.js': runtime });
  runtime.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => process.stderr.write(`${message}\n`) };
  return runtime.SchemaEngine;
};

/**
 * @param {string} url connection URL of the database the commands speak of
 * @param {[path: string, source: string][] | undefined} datamodels
 */
export const createEngine = async (url, datamodels) => {
  const SchemaEngine = await load();
  return SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(strictAdapterFactory(url)));
};
