// How many replicas, cores and gigabytes a given crowd needs, computed from measurements:
//   npm run bench -- A B D --full --json bench.json && node bench/capacity.mjs bench.json --users 100000
// The model is linear in CPU: seconds per message and per delivery, taken from workloads A (two deliveries per message:
// the recipient's and the echo) and B (fifty). It says nothing about disks and networks, which have to be measured.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    users: { type: 'string', default: '100000' },
    online: { type: 'string', default: '0.2' },
    messages: { type: 'string', default: '40' },
    peak: { type: 'string', default: '3' },
    audience: { type: 'string', default: '4' },
    utilisation: { type: 'string', default: '0.5' },
    json: { type: 'boolean', default: false },
  },
});
const { results } = JSON.parse(readFileSync(positionals[0] ?? fail('the JSON file of a bench run is missing'), 'utf8'));

const [A, B, D] = ['A', 'B', 'D'].map(
  (name) => results[name]?.parley ?? fail(`the bench run has no workload ${name}: npm run bench -- A B D --json file`),
);
/** CPU seconds per message of a closed loop, from those per 1,000 deliveries. */
const perMessage = ({ cpuPer1000, messagesPerSecond, deliveriesPerSecond }, part) =>
  (cpuPer1000[part] / 1000) * (deliveriesPerSecond / messagesPerSecond);

/** cost(message) = base + deliveries * each: two workloads, two unknowns. */
function cost(part) {
  const few = { n: A.closed.deliveriesPerSecond / A.closed.messagesPerSecond, seconds: perMessage(A.closed, part) };
  const many = { n: B.closed.deliveriesPerSecond / B.closed.messagesPerSecond, seconds: perMessage(B.closed, part) };
  const each = Math.max(0, (many.seconds - few.seconds) / (many.n - few.n));
  return { each, base: Math.max(0, few.seconds - few.n * each) };
}

const server = cost('server');
const database = cost('database');
const idle = D.idle;
const sockets = Number(values.users) * Number(values.online);
// Peak as a multiple of the mean of a day.
const messagesPerSecond = ((Number(values.users) * Number(values.messages)) / 86_400) * Number(values.peak);
const deliveries = 1 + Number(values.audience);
const cores = (part) => (messagesPerSecond * (part.base + deliveries * part.each)) / Number(values.utilisation);

/** ADMISSION_RATE: what a replica lets in per second, however many it could. */
const ADMITTED = 150;
const replicas = Math.max(2, Math.ceil(cores(server)), Math.ceil(sockets / 20_000));

const result = {
  crowd: {
    users: Number(values.users),
    sockets,
    messagesPerSecond: round(messagesPerSecond),
    deliveriesPerSecond: round(messagesPerSecond * deliveries),
  },
  // One Node process uses one core for its JavaScript.
  replicas,
  serverCores: round(cores(server)),
  databaseCores: round(cores(database)),
  socketMemoryMiB: round((sockets * idle.residentKiBPerIdle) / 1024),
  secondsToReconnectAll: round(sockets / (Math.min(ADMITTED, D.storm.connectionsPerSecond) * replicas)),
  measured: {
    serverSecondsPerMessage: round(server.base, 6),
    serverSecondsPerDelivery: round(server.each, 6),
    databaseSecondsPerMessage: round(database.base, 6),
    databaseSecondsPerDelivery: round(database.each, 6),
    kibPerIdleSocket: idle.residentKiBPerIdle,
  },
};
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  const { crowd, measured, ...needed } = result;
  for (const [name, value] of Object.entries({ ...crowd, ...needed, ...measured }))
    console.log(`${name.padEnd(28)}${value}`);
}

function round(value, digits = 2) {
  return Number(value.toFixed(digits));
}

function fail(reason) {
  console.error(reason);
  process.exit(2);
}
