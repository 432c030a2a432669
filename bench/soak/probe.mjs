// Loaded before Parley (--import): a line of JSON every so often to the file SOAK_SAMPLES. Memory in bytes; the heap is
// what a full collection leaves, so that what is only waiting to be collected does not pass for a leak.
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const file = process.env.SOAK_SAMPLES;
if (file && isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const sample = () => {
    // Read first: the collection would count as delay.
    const loop = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    const { rss } = process.memoryUsage();
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    appendFileSync(file, `${JSON.stringify({ at: Date.now(), rss, heapUsed, external, arrayBuffers, loop })}\n`);
    delay.reset();
  };
  setInterval(sample, Number(process.env.SOAK_SAMPLE_MS)).unref();
}
