// npm run check:consistency -- [--minutes 5] [--seconds n] [--seed text] [--replicas 3] [--bus pg|redis] [--rate 30]
//   [--faults "replica killed,bus cut"] [--history file] [--entry dist/main.js]
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { removeRun, runFolder } from '../support/postgres.js';
import { root } from '../support/server-process.js';
import { describe, run } from './run.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: Math.random().toString(36).slice(2, 10) },
    replicas: { type: 'string', default: '3' },
    bus: { type: 'string', default: 'pg' },
    rate: { type: 'string', default: '30' },
    faults: { type: 'string' },
    history: { type: 'string' },
    entry: { type: 'string', default: join(root, 'dist/main.js') },
  },
});
const folder = join(root, 'test/.artifacts/checker');
mkdirSync(folder, { recursive: true });
const began = performance.now();
const note = (text: string): void =>
  console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${text}`);
note(`seed ${values.seed}`);
try {
  const verdict = await run({
    seed: values.seed,
    seconds: values.seconds === undefined ? Number(values.minutes) * 60 : Number(values.seconds),
    replicas: Number(values.replicas),
    bus: values.bus === 'redis' ? 'redis' : 'pg',
    entry: resolve(values.entry),
    path: values.history ?? join(folder, `${values.seed}.jsonl`),
    operationsPerSecond: Number(values.rate),
    limits: { repairMs: 6000 },
    ...(values.faults === undefined ? {} : { faults: values.faults.split(',') }),
    note,
  });
  console.log(describe(verdict));
  process.exitCode = verdict.violations.length > 0 ? 1 : 0;
} finally {
  await removeRun(await runFolder());
}
