// Parley beside stubs that mark the limits of the machine, all in one run on one PostgreSQL with fsync on.
//   npm run bench -- [A B C H D E] [--seconds 3] [--rounds 1] [--full] [--only "parley,ws, one INSERT"] [--json file]
// Short by default. --full takes the sizes of the document. Open-loop latencies count from the moment a message was
// meant to be sent.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { median, round } from './load/measure.mjs';
import { startSubject } from './load/subjects.mjs';
import { workloads } from './load/workloads.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
  },
});
const chosen = positionals.length > 0 ? positionals : Object.keys(workloads);
const unknown = chosen.filter((name) => !workloads[name]);
if (unknown.length > 0) {
  console.error(`There is no workload ${unknown.join(', ')}; there are: ${Object.keys(workloads).join(', ')}`);
  process.exit(2);
}
const options = { seconds: Number(values.seconds), scale: values.full ? 1 : 0.1 };

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const dir = join(directory, 'pg');
const server = await startEmbedded({ dir, log: () => undefined, settings: { fsync: 'on', max_connections: '100' } });
const report = { startedAt: new Date().toISOString(), options, rounds: Number(values.rounds), results: {} };
try {
  for (const name of chosen) {
    const { title, subjects, run } = workloads[name];
    console.log(`\n${name}: ${title}`);
    const asked = subjects.filter((subject) => !values.only || values.only.includes(subject));
    const samples = new Map(asked.map((subject) => [subject, []]));
    for (let round = 0; round < report.rounds; round++) {
      for (const subject of round % 2 ? asked.toReversed() : asked)
        samples.get(subject).push(await measure(subject, run));
    }
    report.results[name] = Object.fromEntries([...samples].map(([subject, all]) => [subject, merge(all)]));
    print(report.results[name]);
  }
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.exit(0);

async function measure(name, run) {
  console.error(`  ${name} ...`);
  const subject = await startSubject(name, { url: server.url, dir });
  try {
    return await run(subject, options);
  } finally {
    await subject.stop();
  }
}

/** The median of each figure; errors add up. */
function merge(samples) {
  const [first] = samples;
  if (typeof first === 'number') return median(samples);
  return Object.fromEntries(
    Object.keys(first).map((key) => {
      const parts = samples.map((sample) => sample[key]);
      return [key, key === 'errors' ? sum(parts) : merge(parts)];
    }),
  );
}

function sum(all) {
  return Object.fromEntries(Object.keys(all[0]).map((key) => [key, all.reduce((total, one) => total + one[key], 0)]));
}

/** One line per subject and part, with the ratio to Parley where the figure is a rate. */
function print(results) {
  const rows = Object.entries(results).flatMap(([subject, parts]) =>
    Object.entries(parts).map(([part, figures]) => ({
      part,
      subject,
      ...flat(figures),
      ratio: ratio(results, subject, part),
    })),
  );
  console.table(rows.toSorted((a, b) => (a.part < b.part ? -1 : a.part > b.part ? 1 : 0)));
}

function flat({ cpuPer1000, errors, ...figures }) {
  const cpu = cpuPer1000 ? { 'cpu s/1k server': cpuPer1000.server, 'cpu s/1k db': cpuPer1000.database } : {};
  const failed = errors ? { errors: Object.values(errors).reduce((a, b) => a + b, 0) } : {};
  return { ...figures, ...cpu, ...failed };
}

/** A figure of which more is better; undefined where there is none. */
function rateOf(figures) {
  return (
    figures.deliveriesPerSecond ?? figures.requestsPerSecond ?? figures.connectionsPerSecond ?? figures.highestRate
  );
}

function ratio(results, subject, part) {
  const own = rateOf(results.parley?.[part] ?? {});
  const other = rateOf(results[subject][part]);
  return subject === 'parley' || !own || !other ? '' : round(own / other);
}
