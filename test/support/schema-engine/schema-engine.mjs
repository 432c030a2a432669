#!/usr/bin/env node
/**
 * Stands in for Prisma's schema engine binary (`PRISMA_SCHEMA_ENGINE_BINARY`), so that the unmodified Prisma CLI runs
 * `migrate` offline: same arguments, same JSON-RPC over stdin and stdout, the work done by the engine's WebAssembly build.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { escapeIdentifier } from 'pg';
import { createEngine } from './engine.mjs';
import { statement } from './strict-adapter.mjs';

const parseArguments = (argv) => {
  const options = { datamodels: [], command: [], url: undefined, version: false };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--datasource') options.url = JSON.parse(argv[++i]).url;
    else if (argv[i] === '--datamodels') options.datamodels.push(argv[++i]);
    else if (argv[i] === '--enabled-preview-features' || argv[i] === '--extension-types') i++;
    else if (argv[i] === '--version') options.version = true;
    else options.command.push(argv[i]);
  }
  return options;
};

/** Answers the exit code; a failure is one line on stderr, in the shape the CLI reads. It skips the first line. */
const attempt = async (work) => {
  try {
    await work();
    return 0;
  } catch (error) {
    const fields = { is_panic: false, error_code: error.code === '3D000' ? 'P1003' : 'P1001', message: error.message };
    const line = { timestamp: new Date().toISOString(), level: 'ERROR', target: 'schema_engine::logger', fields };
    process.stderr.write(`\n${JSON.stringify(line)}\n`);
    return 1;
  }
};

const createDatabase = (url) => {
  const server = new URL(url);
  const name = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/postgres';
  return statement(server.href, `CREATE DATABASE ${escapeIdentifier(name)}`);
};

const COMMANDS = {
  'can-connect-to-database': (url) => statement(url, 'SELECT 1'),
  'create-database': createDatabase,
};

const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

/** The shape in which the CLI reads what went wrong. The engine hands a user-facing error over as JSON in its message. */
const toRpcError = (error) => {
  let known = {};
  try {
    known = JSON.parse(error.message);
  } catch {
    // a plain message
  }
  const data = {
    is_panic: false,
    message: known.message ?? error.message ?? String(error),
    error_code: known.error_code ?? error.code,
    meta: known.meta ?? error.meta,
  };
  return { code: 4466, message: 'An error happened. Check the data field for details.', data };
};

const call = async (engine, method, params) => {
  if (method === 'getDatabaseVersion') return engine.version();
  const result = await engine[method](params);
  if (method !== 'diff') return result ?? null;
  if (result.stdout) write({ id: 1_000_000, method: 'print', params: { content: result.stdout } });
  return { exitCode: result.exitCode };
};

/** Requests in order of arrival, one at a time; answers of the CLI to our `print` are not requests. */
const serve = async ({ url, datamodels }) => {
  const sources = datamodels.map((path) => [path, readFileSync(path, 'utf8')]);
  let engine;
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    if (!method) continue;
    try {
      engine ??= await createEngine(url, sources.length > 0 ? sources : undefined);
      write({ id, result: await call(engine, method, params) });
    } catch (error) {
      if (process.env.SCHEMA_ENGINE_DEBUG) process.stderr.write(`${error.stack}\n`);
      write({ id, error: toRpcError(error) });
    }
  }
};

const options = parseArguments(process.argv.slice(2));
if (options.version) {
  process.stdout.write('schema-engine-wasm\n');
  process.exit(0);
} else if (options.command[0] === 'cli') {
  const command = COMMANDS[options.command[1]];
  if (!command) process.stderr.write(`Not supported by this engine: ${options.command.join(' ')}\n`);
  process.exit(command ? await attempt(() => command(options.url)) : 1);
} else {
  await serve(options);
  process.exit(0);
}
