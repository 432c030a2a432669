// What watching costs: processor time per REST request with metrics, logs and traces, against none of them. All variants
// run side by side and are measured in turn, in short rounds, of which the least disturbed count.
//   node bench/overhead.mjs [--requests 300] [--rounds 40] [--json]
// Needs a build (npm run build).
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from './load/measure.mjs';
import { option, repeat, startParley } from './overhead/parley.mjs';

const requests = Number(option('--requests', 300));
const rounds = Number(option('--rounds', 40));
const AT_ONCE = 8;
const WARM_UP = 2000;
/** What else a machine does only ever adds. */
const CALMEST = 5;

const noMetrics = ['--import', pathToFileURL(join(import.meta.dirname, 'overhead/no-metrics.mjs')).href];
const receiver = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.address().port}` };

/** @type {[name: string, environment: Record<string, string>, flags: string[]][]} */
const variants = [
  ['nothing', {}, noMetrics],
  ['metrics', {}, []],
  ['metrics and logs', { LOG_LEVEL: 'info' }, []],
  ['metrics, logs, every tenth trace', { LOG_LEVEL: 'info', ...traces, OTEL_TRACES_SAMPLER_ARG: '0.1' }, []],
  ['metrics, logs, every trace', { LOG_LEVEL: 'info', ...traces }, []],
];

const rotate = (list, by) => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];
const running = [];
try {
  for (const [name, environment, flags] of variants) {
    const parley = await startParley(environment, flags);
    const token = await parley.register();
    const ask = () => parley.call('GET', '/api/v1/users/me', { token });
    running.push({ name, parley, ask, samples: [] });
    const { status } = await ask();
    if (status !== 200) throw new Error(`${name}: the answer is ${status}`);
    await repeat(WARM_UP, AT_ONCE, ask);
  }
  for (let round = 0; round < rounds; round++) {
    // Nobody is always measured after the same neighbour.
    for (const { parley, ask, samples } of rotate(running, round)) {
      const before = await parley.processorTime();
      await repeat(requests, AT_ONCE, ask);
      samples.push(((await parley.processorTime()) - before) / requests);
    }
  }
  const undisturbed = (samples) => median(samples.toSorted((a, b) => a - b).slice(0, CALMEST));
  const base = undisturbed(running[0].samples);
  const rows = running.map(({ name, samples }) => {
    const each = undisturbed(samples);
    return {
      variant: name,
      'CPU per request (µs)': Math.round(each),
      'more than nothing (µs)': Math.round(each - base),
      'more (%)': Math.round((each / base - 1) * 1000) / 10,
      'spread (µs)': `${Math.round(Math.min(...samples))} to ${Math.round(Math.max(...samples))}`,
    };
  });
  if (process.argv.includes('--json')) console.log(JSON.stringify({ requests, rounds, rows }, null, 2));
  else console.table(rows);
} finally {
  await Promise.allSettled(running.map(({ parley }) => parley.stop()));
  receiver.close();
}
