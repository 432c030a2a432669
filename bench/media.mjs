// Files: the disk driver beside a bare file server, interleaved in one run, and what a 24-megapixel picture costs. Every
// subject writes new files in each round, and they are gone before the next one: none has the disk's caches to itself.
//   npm run bench:media -- [--size 20] [--files 40] [--rounds 5] [--pictures 8] [--json]
// Needs a build. Sizes in MiB, rates in MiB/s; medians of the rounds. Starts its own PostgreSQL with its durability on.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { round } from './load/measure.mjs';
import { startSubject } from './load/subjects.mjs';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '20' },
    files: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
    pictures: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const [size, files, rounds, pictures] = [values.size, values.files, values.rounds, values.pictures].map(Number);
const MIB = 1024 * 1024;
/** Transfers at once. */
const AT_ONCE = 4;
const body = randomBytes(size * MIB);
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const directory = mkdtempSync(join(tmpdir(), 'parley-bench-media-'));
const children = [];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** One request; answers how many bytes came back. */
const transfer = (url, method, content) =>
  new Promise((resolve, reject) => {
    const call = request(url, { method, agent, headers: content ? { 'content-length': content.length } : {} });
    call.once('error', reject);
    call.once('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk) => (bytes += chunk.length));
      response.once('end', () => {
        if (response.statusCode >= 300) reject(new Error(`${method} answered ${response.statusCode}`));
        else resolve(bytes);
      });
    });
    call.end(content);
  });

/** MiB/s of all transfers together. */
async function rate(urls, method) {
  const waiting = [...urls];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let url = waiting.pop(); url; url = waiting.pop()) {
        const bytes = await transfer(url, method, method === 'PUT' ? body : undefined);
        if (method === 'GET' && bytes !== body.length) throw new Error(`${bytes} bytes came`);
      }
    }),
  );
  return (urls.length * size) / ((performance.now() - startedAt) / 1000);
}

async function bare(name, ...flags) {
  const folder = join(directory, name);
  mkdirSync(folder);
  const child = fork(join(import.meta.dirname, 'stubs/files.mjs'), [folder, ...flags]);
  children.push(child);
  const [{ port }] = await once(child, 'message');
  let urls = [];
  let cpu = 0;
  child.on('message', (message) => (cpu = message.cpu ?? cpu));
  return {
    upload: (round) => {
      urls = Array.from({ length: files }, (_, i) => `http://127.0.0.1:${port}/${round}-${i}`);
      return rate(urls, 'PUT');
    },
    download: () => rate(urls, 'GET'),
    clear: () => emptied(folder),
    cpu: async () => {
      child.send('cpu');
      await once(child, 'message');
      return cpu;
    },
  };
}

function emptied(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}

/** Links are made outside of the measurement: a bare server has none. */
function parleyFiles(parley, token) {
  const at = (url) => new URL(url, `http://127.0.0.1:${parley.port}`).href;
  let ids = [];
  const announce = () =>
    parley.must(token, 'POST', '/api/v1/media/uploads', {
      name: 'f',
      size: body.length,
      mime: 'application/octet-stream',
    });
  return {
    upload: async () => {
      const uploads = [];
      for (let i = 0; i < files; i++) uploads.push((await announce()).body);
      const measured = await rate(
        uploads.map(({ url }) => at(url)),
        'PUT',
      );
      ids = uploads.map(({ mediaId }) => mediaId);
      for (const id of ids) await parley.must(token, 'POST', `/api/v1/media/uploads/${id}/complete`);
      return measured;
    },
    download: async () => {
      const links = [];
      for (const id of ids) links.push(at((await parley.must(token, 'GET', `/api/v1/media/${id}/url`)).body.url));
      return rate(links, 'GET');
    },
    clear: () => emptied(join(directory, 'parley', 'media')),
    cpu: async () => parley.usage().server,
  };
}

async function throughput() {
  const dir = join(directory, 'pg');
  const server = await startEmbedded({ dir, log: () => undefined, settings: { fsync: 'on' } });
  const environment = {
    MEDIA_DIR: join(directory, 'parley'),
    MEDIA_MAX_BYTES: String(body.length),
    MEDIA_DAILY_BYTES: '1000000000000',
  };
  const parley = await startSubject('parley', { url: server.url, dir }, environment);
  try {
    const [{ token }] = await parley.users(1);
    const subjects = {
      parley: parleyFiles(parley, token),
      'send + stream': await bare('plain'),
      'send + flushed stream': await bare('flushed', 'flush'),
    };
    const names = Object.keys(subjects);
    const found = Object.fromEntries(names.map((name) => [name, { upload: [], download: [], cpu: 0 }]));
    // The first round warms disks, caches and compilers; each round begins with another subject.
    for (let i = 0; i <= rounds; i++)
      for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)]) {
        const subject = subjects[name];
        for (const direction of ['upload', 'download']) {
          const before = await subject.cpu();
          const measured = await subject[direction](i);
          if (i === 0) continue;
          found[name][direction].push(measured);
          found[name].cpu += (await subject.cpu()) - before;
        }
        subject.clear();
      }
    const transferredGiB = (2 * rounds * files * size) / 1024;
    const peakMiB = parley.residentKiB / 1024;
    const table = Object.fromEntries(
      Object.entries(found).map(([name, { upload, download, cpu }]) => [
        name,
        { upload: round(median(upload)), download: round(median(download)), 'CPU s/GiB': round(cpu / transferredGiB) },
      ]),
    );
    const ratio = (name, direction) => round(table.parley[direction] / table[name][direction]);
    const ratios = {
      'upload / stream': ratio('send + stream', 'upload'),
      'upload / flushed stream': ratio('send + flushed stream', 'upload'),
      'download / send': ratio('send + stream', 'download'),
    };
    return { table, ratios, parleyResidentMiB: Math.round(peakMiB) };
  } finally {
    await parley.stop();
    await server.stop();
  }
}

/** 6000 by 4000 pixels with as much in them as a photograph has. */
async function photograph() {
  const [width, height] = [6000, 4000];
  const noise = { type: 'gaussian', mean: 128, sigma: 40 };
  const soft = await sharp({ create: { width: 1500, height: 1000, channels: 3, noise } })
    .png()
    .toBuffer();
  const file = join(directory, 'photograph.jpg');
  writeFileSync(file, await sharp(soft).resize(width, height).jpeg({ quality: 90 }).toBuffer());
  return file;
}

async function rendering() {
  const file = await photograph();
  const table = {};
  for (const lanes of [1, 2]) {
    const child = fork(join(import.meta.dirname, 'stubs/pictures.mjs'), [
      file,
      'image/jpeg',
      String(pictures),
      String(lanes),
    ]);
    const [{ seconds, peakMiB }] = await once(child, 'message');
    table[`${lanes} at once`] = {
      'pictures/s': round(pictures / seconds),
      'renditions/s': round((3 * pictures) / seconds),
      'peak MiB': Math.round(peakMiB),
    };
  }
  return { inputMiB: round(statSync(file).size / MIB), table };
}

try {
  const [files_, images] = [await throughput(), await rendering()];
  if (values.json) console.log(JSON.stringify({ throughput: files_, rendering: images }, null, 2));
  else {
    console.log(`\n${files} files of ${size} MiB, ${AT_ONCE} at once: MiB/s`);
    console.table(files_.table);
    console.table(files_.ratios);
    console.log(`Parley holds ${files_.parleyResidentMiB} MiB afterwards`);
    console.log(`\nA JPEG of 24 megapixels (${images.inputMiB} MiB): written anew, thumb, medium and blurhash`);
    console.table(images.table);
  }
} finally {
  for (const child of children) child.disconnect();
  agent.destroy();
  rmSync(directory, { recursive: true, force: true });
}
