// Whether memory grows under steady load: the slope of the resident memory, by least squares over its second half.
//   node bench/soak.mjs [--minutes 60] [--rate 50] [--json]
// Sends, reads, search, presence and sign-ins at so many calls per second. Needs a build (npm run build) and Linux.
import { randomUUID } from 'node:crypto';
import { option, startParley } from './overhead/parley.mjs';

const minutes = Number(option('--minutes', 60));
const rate = Number(option('--rate', 50));
const SAMPLE_MS = 5000;
const HOUR_MS = 3_600_000;

const parley = await startParley({ LOG_LEVEL: 'info' });
try {
  const token = await parley.register();
  const room = JSON.parse(
    (
      await parley.call('POST', '/api/v1/conversations', {
        token,
        body: { type: 'group', title: 'Soak', memberIds: [] },
      })
    ).text,
  ).id;
  const calls = [
    () =>
      parley.call('POST', `/api/v1/conversations/${room}/messages`, {
        token,
        body: { clientId: randomUUID(), body: 'Hello' },
      }),
    () => parley.call('GET', `/api/v1/conversations/${room}/messages?limit=50`, { token }),
    () => parley.call('GET', '/api/v1/conversations', { token }),
    () => parley.call('GET', '/api/v1/search/messages?q=hello', { token }),
    () => parley.call('GET', `/api/v1/conversations/${room}/messages/${randomUUID()}`, { token }),
    () => parley.call('GET', '/api/v1/users/me', { token: 'nobody' }),
  ];
  const statuses = {};
  const samples = [];
  const startedAt = performance.now();
  let made = 0;
  let nextSample = 0;
  // An open loop: what is late is made up for, and a slow answer holds nothing up.
  for (let at = 0; at < minutes * 60_000; at = performance.now() - startedAt) {
    for (; made < (at / 1000) * rate; made++) {
      void calls[made % calls.length]()
        .then(
          ({ status }) => status,
          () => 'no answer',
        )
        .then((status) => (statuses[status] = (statuses[status] ?? 0) + 1));
    }
    if (at >= nextSample) {
      samples.push({ at, rss: parley.residentMiB });
      nextSample += SAMPLE_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const settled = samples.slice(Math.floor(samples.length / 2));
  const result = {
    minutes,
    callsPerSecond: rate,
    calls: made,
    statuses,
    startMiB: Math.round(samples[0].rss),
    endMiB: Math.round(samples.at(-1).rss),
    highestMiB: Math.round(Math.max(...samples.map(({ rss }) => rss))),
    slopeMiBPerHour: Math.round(slope(settled) * HOUR_MS * 10) / 10,
    slopeOver: `${Math.round((settled.at(-1).at - settled[0].at) / 1000)} s`,
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify({ ...result, samples }, null, 2));
  else
    console.table(
      Object.entries(result).map(([figure, value]) => ({
        figure,
        value: typeof value === 'object' ? JSON.stringify(value) : value,
      })),
    );
} finally {
  await parley.stop();
}

/** Least squares: MiB per millisecond. */
function slope(samples) {
  const mean = (pick) => samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [meanAt, meanRss] = [mean(({ at }) => at), mean(({ rss }) => rss)];
  const sum = (pick) => samples.reduce((total, sample) => total + pick(sample), 0);
  return sum(({ at, rss }) => (at - meanAt) * (rss - meanRss)) / sum(({ at }) => (at - meanAt) ** 2);
}
