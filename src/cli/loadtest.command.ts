import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../platform/config/package-root.js';
import type { CliCommand, Invocation } from './command-line.js';
import { between, readServer } from './server-figures.js';

const MISSED = 1;
const USAGE = 2;

type Summary = Run['figures'] & { errorRate: number; databaseP95?: number; databaseErrors?: number } & Record<
    'pairs' | 'rate' | 'seconds',
    number
  >;

/** What bench/loadtest.mjs says; times in ms. */
interface Run {
  startedAt: string;
  finishedAt: string;
  figures: {
    messagesPerSecond: number;
    p50: number;
    p95: number;
    p99: number;
    max: number;
    average: number;
    deviation: number;
    /** Sockets that were lost meanwhile. */
    dropped: number;
    errors: Record<string, number>;
  };
}

// The targets of docs/checklist.md: A072, A073, A357 to A360, A362.
const targets = { p95: 200, average: 500, errorRate: 0.01, dropped: 0, databaseP95: 100, databaseErrors: 0 };

export const loadtest: CliCommand = {
  name: 'loadtest',
  summary:
    'Let pairs of people write to each other on a running installation at a fixed rate. Exit 1 when a target is missed: p95 200 ms, average 500 ms, 1 % errors, no socket lost, and, where /metrics can be read (METRICS_TOKEN), p95 of the database 100 ms and none of its errors. The people are made for it and erased.',
  usage: '--url <installation>',
  options: {
    url: { type: 'string', description: 'the installation; its rate limits hold, RATE_SCALE raises them' },
    pairs: { type: 'string', description: 'pairs of people; default 5' },
    rate: { type: 'string', description: 'messages per second in all; default 10' },
    seconds: { type: 'string', description: 'how long; default 10' },
    name: { type: 'string', description: 'how the stored report is called; default the time' },
    token: { type: 'string', description: 'access token of an admin: stores the report; default PARLEY_TOKEN' },
  },
  examples: [
    'parley loadtest --url http://localhost:3000',
    'parley loadtest --url https://staging.example.com --pairs 50 --rate 300 --seconds 60 --name release-1.4',
  ],
  run: async (invocation) => {
    const { flags, note } = invocation;
    const { url } = flags;
    const [pairs, rate, seconds] = [
      numberOf(flags['pairs'], 5),
      numberOf(flags['rate'], 10),
      numberOf(flags['seconds'], 10),
    ];
    if (typeof url !== 'string' || !/^https?:\/\//.test(url) || !pairs || !rate || !seconds) {
      note(
        'parley loadtest: name the installation with --url http(s)://...; pairs, rate and seconds are whole numbers',
      );
      return USAGE;
    }
    const generator = join(packageRoot(), 'bench/loadtest.mjs');
    if (!existsSync(generator)) {
      note('parley loadtest: the load generator is part of the source, not of the image: run this in a clone');
      return USAGE;
    }
    const base = url.replace(/\/+$/, '');
    const metricsToken = process.env['METRICS_TOKEN'];
    const before = await readServer(base, metricsToken);
    const run = await generate(generator, { url: base, pairs, rate, seconds });
    if (!run) return MISSED;
    const after = await readServer(base, metricsToken);
    if (!before || !after) note('the database is not judged: /metrics is not open; give METRICS_TOKEN');
    const failed = Object.values(run.figures.errors).reduce((sum, count) => sum + count, 0);
    const summary: Summary = {
      pairs,
      rate,
      seconds,
      ...run.figures,
      errorRate: Math.min(1, failed / (rate * seconds)),
      ...(before && after ? between(before, after) : {}),
    };
    const missed = Object.entries(targets)
      .filter(([figure, limit]) => (summary[figure as keyof typeof targets] ?? 0) > limit)
      .map(([figure]) => figure);
    const stored = await store(base, run, summary, invocation);
    invocation.print({ ok: missed.length === 0, missed, stored, ...run, summary }, () =>
      describe(summary, missed, stored),
    );
    return missed.length === 0 ? 0 : MISSED;
  },
};

const numberOf = (flag: unknown, byDefault: number): number | undefined => {
  if (flag === undefined) return byDefault;
  return typeof flag === 'string' && /^[1-9]\d{0,6}$/.test(flag) ? Number(flag) : undefined;
};

/** Runs the generator as a process of its own, so that what it costs is not what it measures. */
async function generate(generator: string, options: object): Promise<Run | undefined> {
  const child = spawn(process.execPath, [generator, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return code === 0 ? (JSON.parse(output) as Run) : undefined;
}

/** The report at the installation itself, where an admin's token was given; answers its id. */
async function store(url: string, run: Run, summary: object, { flags, note }: Invocation): Promise<string | null> {
  const token = typeof flags['token'] === 'string' ? flags['token'] : process.env['PARLEY_TOKEN'];
  if (!token) {
    note('the report is not stored: give the access token of an admin with --token or PARLEY_TOKEN');
    return null;
  }
  const { version } = (await (await fetch(`${url}/health`)).json()) as { version: string };
  const { startedAt, finishedAt } = run;
  const response = await fetch(`${url}/api/v1/system-health/load-test-reports`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      name: typeof flags['name'] === 'string' ? flags['name'] : startedAt,
      scenario: 'direct messages, open loop',
      version,
      startedAt,
      finishedAt,
      summary,
    }),
  });
  const answer = (await response.json()) as { id?: string; detail?: string };
  if (response.status === 201 && answer.id) return answer.id;
  note(`the report is not stored: ${response.status}: ${answer.detail ?? ''}`);
  return null;
}

function describe(
  { p50, p95, p99, average, deviation, messagesPerSecond, errorRate, databaseP95 }: Summary,
  missed: string[],
  stored: string | null,
): string {
  return [
    `${messagesPerSecond} messages per second; from the intended moment of sending to the other side, in ms:`,
    `p50 ${p50}, p95 ${p95}, p99 ${p99}, average ${average}, standard deviation ${deviation}; errors ${(errorRate * 100).toFixed(2)} %`,
    ...(databaseP95 === undefined ? [] : [`p95 of the database ${databaseP95} ms`]),
    missed.length === 0 ? 'Every target is met.' : `Missed: ${missed.join(', ')}`,
    ...(stored ? [`Stored as load-test report ${stored}`] : []),
  ].join('\n');
}
