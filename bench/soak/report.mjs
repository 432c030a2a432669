import { percentiles, round } from '../load/measure.mjs';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const SLOPE_MIB = 1;
const OUTBOX_S = 60;
const mib = (bytes) => round(bytes / MIB, 1);

/** Least squares, per hour, of what `pick` takes from samples with `at` in ms. */
function slopePerHour(samples, pick) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [meanAt, meanValue] = [mean(({ at }) => at), mean(pick)];
  const sum = (of) => samples.reduce((total, sample) => total + of(sample), 0);
  return (
    (sum((sample) => (sample.at - meanAt) * (pick(sample) - meanValue)) / sum(({ at }) => (at - meanAt) ** 2)) * HOUR_MS
  );
}

/** Samples of memory and database, and figures of each stretch of chats in pairs and groups, in one. */
export function report({ memory, database, stretches, calls }) {
  const settled = memory.slice(Math.floor(memory.length / 2));
  const of = (pick) => {
    const all = memory.map(pick);
    return {
      startMiB: mib(all[0]),
      endMiB: mib(all.at(-1)),
      highestMiB: mib(Math.max(...all)),
      slopeMiBPerHour: round(slopePerHour(settled, pick) / MIB, 2),
    };
  };
  return {
    resident: of(({ rss }) => rss),
    heap: of(({ heapUsed }) => heapUsed),
    outsideHeap: of(({ external }) => external),
    slopeOverMinutes: round((settled.at(-1).at - settled[0].at) / 60_000, 1),
    eventLoopP99Ms: percentiles(memory.map(({ loop }) => loop.p99)),
    outbox: {
      waiting: percentiles(database.map(({ waiting }) => waiting)),
      oldestSeconds: percentiles(database.map(({ oldestSeconds }) => oldestSeconds)),
    },
    database: { startMiB: mib(database[0].bytes), endMiB: mib(database.at(-1).bytes) },
    pairs: chats(stretches.map(([pairs]) => pairs)),
    groups: chats(stretches.map(([, groups]) => groups)),
    calls,
  };
}

/** The median stretch, and what went wrong in all of them. */
function chats(stretches) {
  const median = (pick) => percentiles(stretches.map(pick)).p50;
  const total = (name) => stretches.reduce((sum, { errors }) => sum + errors[name], 0);
  return {
    messagesPerSecond: median(({ messagesPerSecond }) => messagesPerSecond),
    deliveriesPerSecond: median(({ deliveriesPerSecond }) => deliveriesPerSecond),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
    // Failures are counted by the clients, which outlive a stretch.
    errors: {
      ...Object.fromEntries(['lost', 'doubled', 'misrouted'].map((name) => [name, total(name)])),
      failures: stretches.at(-1).errors.failures,
    },
  };
}

/** What does not hold, by name; `dropped` are the sockets that closed meanwhile. */
export function judge({ resident, outbox, pairs, groups }, dropped) {
  const wrong = [pairs, groups].flatMap(({ errors }) => Object.values(errors)).reduce((sum, count) => sum + count, 0);
  const findings = {
    memory: resident.slopeMiBPerHour >= SLOPE_MIB,
    messages: wrong > 0,
    sockets: dropped > 0,
    outbox: outbox.oldestSeconds.max >= OUTBOX_S,
  };
  return Object.keys(findings).filter((name) => findings[name]);
}
