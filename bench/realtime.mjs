// The socket layer beside a bare Socket.IO server with the same options, interleaved in one run: acks of an empty
// command, fan-out to 1,000 sockets, memory per idle socket.
//   node bench/realtime.mjs [--rounds 5] [--seconds 2] [--idle 2000] [--json]
// Needs a build (npm run build). Starts its own embedded PostgreSQL.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { frame, RawSocket } from './realtime/raw-socket.mjs';

const option = (name, fallback) =>
  process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : fallback;
const rounds = option('--rounds', 5);
const seconds = option('--seconds', 2);
const idle = option('--idle', 2000);
const ACK_SOCKETS = 50;
const ACK_WINDOW = 8;
const FAN_OUT = 1000;
const FAN_WINDOW = 2;
const text = 'x'.repeat(200);

class Subject {
  constructor(name, child, port, ready) {
    Object.assign(this, { name, child, port, ready });
  }

  static async start(name, file, ready, environment = {}) {
    const child = fork(join(import.meta.dirname, 'realtime', file), {
      execArgv: ['--expose-gc'],
      env: { ...process.env, ...environment },
    });
    const [{ port }] = await once(child, 'message');
    return new Subject(name, child, port, ready);
  }

  async ask(question) {
    this.child.send(question);
    const [answer] = await once(this.child, 'message');
    return answer;
  }

  async open(count) {
    const { tokens } = await this.ask({ ask: 'tokens', count });
    const sockets = [];
    for (let i = 0; i < count; i += 50) {
      const batch = Array.from({ length: Math.min(50, count - i) }, (_, n) =>
        RawSocket.open(this.port, { token: tokens[i + n], deviceId: 'bench', protocol: 1 }, { waitFor: this.ready }),
      );
      sockets.push(...(await Promise.all(batch)));
    }
    return sockets;
  }

  /** CPU and memory so far; `collect` frees garbage first, which costs CPU. */
  async usage({ collect = false } = {}) {
    return (await this.ask({ ask: 'usage', collect })).usage;
  }

  stop() {
    this.child.kill();
  }
}

const cpuMs = ({ cpu }) => (cpu.user + cpu.system) / 1000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps a window of commands in flight on every socket for a while; commands/s and CPU of the server per command. */
async function drive(subject, sockets, window, event, payload) {
  let running = true;
  for (const socket of sockets) {
    const ask = frame(`42/v1,1${JSON.stringify([event, payload])}`);
    socket.onAck = () => running && socket.sendFrame(ask);
    for (let i = 0; i < window; i++) socket.sendFrame(ask);
  }
  const total = (kind) => sockets.reduce((sum, socket) => sum + socket[kind], 0);
  const before = { ...(await subject.usage()), acks: total('acks'), at: performance.now() };
  await pause(seconds * 1000);
  const after = { acks: total('acks'), at: performance.now(), ...(await subject.usage()) };
  running = false;
  await pause(200);
  const commands = after.acks - before.acks;
  return {
    perSecond: (commands * 1000) / (after.at - before.at),
    cpuUs: ((cpuMs(after) - cpuMs(before)) * 1000) / commands,
  };
}

async function acks(subject) {
  const sockets = await subject.open(ACK_SOCKETS);
  const result = await drive(subject, sockets, ACK_WINDOW, 'bench.empty', {});
  sockets.forEach((socket) => socket.close());
  await pause(100);
  return result;
}

async function fanOut(subject) {
  const sockets = await subject.open(FAN_OUT);
  const [first] = sockets;
  const seen = () => sockets.reduce((sum, { events }) => sum + events, 0);
  const before = seen();
  const startedAt = performance.now();
  const { cpuUs } = await drive(subject, [first], FAN_WINDOW, 'bench.tell', { text });
  const deliveries = seen() - before;
  const took = performance.now() - startedAt;
  sockets.forEach((socket) => socket.close());
  await pause(300);
  return { perSecond: (deliveries * 1000) / took, cpuUs: cpuUs / FAN_OUT };
}

async function memory(subject) {
  const before = await subject.usage({ collect: true });
  const sockets = await subject.open(idle);
  await pause(1000);
  const { memory: after } = await subject.usage({ collect: true });
  sockets.forEach((socket) => socket.close());
  const kib = (kind) => (after[kind] - before.memory[kind]) / idle / 1024;
  return { rssKiB: kib('rss'), heapKiB: kib('heapUsed') };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const medians = (results) =>
  Object.fromEntries(Object.keys(results[0]).map((key) => [key, median(results.map((one) => one[key]))]));

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const postgres = await startEmbedded({ dir: join(directory, 'pg'), log: () => undefined });
const start = {
  bare: () => Subject.start('bare Socket.IO', 'bare-server.mjs', '40/v1'),
  parley: () => Subject.start('Parley', 'parley-server.mjs', '"ready"', { DATABASE_URL: postgres.url }),
};
const report = {};
try {
  // Memory first, each in a fresh process: a heap that was larger once says nothing about idle sockets.
  for (const name of ['bare', 'parley']) {
    const subject = await start[name]();
    await subject.open(50).then((sockets) => sockets.forEach((socket) => socket.close()));
    await pause(500);
    report[name] = { memory: await memory(subject) };
    subject.stop();
  }
  const subjects = { bare: await start.bare(), parley: await start.parley() };
  for (const [workload, measure] of Object.entries({ acks, fanOut })) {
    const results = { bare: [], parley: [] };
    for (let i = 0; i <= rounds; i++) {
      for (const name of i % 2 ? ['bare', 'parley'] : ['parley', 'bare']) {
        const result = await measure(subjects[name]);
        if (i > 0) results[name].push(result);
      }
    }
    for (const name of ['bare', 'parley']) report[name][workload] = medians(results[name]);
  }
  subjects.bare.stop();
  subjects.parley.stop();
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
if (process.argv.includes('--json')) console.log(JSON.stringify(report, null, 2));
else {
  const row = (label, bare, parley, digits = 0) =>
    console.log(
      `${label.padEnd(34)}${bare.toFixed(digits).padStart(10)}${parley.toFixed(digits).padStart(10)}${(parley / bare).toFixed(2).padStart(8)}`,
    );
  console.log(`${''.padEnd(34)}${'bare'.padStart(10)}${'Parley'.padStart(10)}${'ratio'.padStart(8)}`);
  const { bare, parley } = report;
  row('acks/s', bare.acks.perSecond, parley.acks.perSecond);
  row('server CPU per ack, us', bare.acks.cpuUs, parley.acks.cpuUs, 1);
  row('deliveries/s, 1,000 sockets', bare.fanOut.perSecond, parley.fanOut.perSecond);
  row('server CPU per delivery, us', bare.fanOut.cpuUs, parley.fanOut.cpuUs, 2);
  row('resident KiB per idle socket', bare.memory.rssKiB, parley.memory.rssKiB, 1);
  row('heap KiB per idle socket', bare.memory.heapKiB, parley.memory.heapKiB, 1);
}
process.exit(0);
