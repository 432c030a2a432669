// What is measured: Parley as an operator starts it, and the stubs. All answer the same clients on the same PostgreSQL.
import { fork, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { SocketIoClient, WsClient } from './client.mjs';
import { serverFlags } from '../../scripts/node-runtime.mjs';
import { databaseCpu, processCpu, residentKiB } from './measure.mjs';

const root = join(import.meta.dirname, '../..');
const SECRET = 'bench-secret-bench-secret-bench-secret';
const MEMBERS_AT_ONCE = 100;

class Subject {
  constructor(name, postgres) {
    Object.assign(this, { name, postmaster: postmaster(postgres) });
  }
  usage() {
    return {
      at: performance.now(),
      server: processCpu(this.child.pid),
      database: this.postmaster ? databaseCpu(this.postmaster) : 0,
    };
  }
  get residentKiB() {
    return residentKiB(this.child.pid);
  }
  async stop() {
    // A profile is written at an orderly end.
    this.child.kill(process.env.BENCH_PROFILE ? 'SIGTERM' : 'SIGKILL');
    await once(this.child, 'exit');
  }
  /** Another process on the same database, in which nothing has happened yet. */
  async restart() {
    await this.stop();
    await this.run();
  }
}

/** A reference: rooms are what the client says at the handshake. */
class Stub extends Subject {
  static async start(name, { file, store, client }, postgres) {
    const stub = Object.assign(new Stub(name, postgres), { Client: client, file, store, database: postgres.url });
    await stub.run();
    return stub;
  }
  async run() {
    this.child = fork(join(root, 'bench/stubs', this.file), {
      env: { ...process.env, STORE: this.store, DATABASE_URL: this.database },
    });
    [{ port: this.port }] = await once(this.child, 'message');
  }
  /** Conversations of so many members each; answers their ids and, per member, a client that is not open yet. */
  async world(rooms) {
    const conversations = rooms.map((_, i) => `room-${i}`);
    const members = rooms.map(({ members: count }, i) =>
      Array.from({ length: count }, () => new this.Client(conversations[i])),
    );
    return { conversations, members };
  }
  loners(count) {
    return Array.from({ length: count }, () => new this.Client(''));
  }
  async fill(conversation, count) {
    await query(
      this.url,
      'INSERT INTO bench_messages (conversation, body) SELECT $1, repeat($2, 200) FROM generate_series(1, $3)',
      [conversation, 'x', count],
    );
  }
}

class Parley extends Subject {
  #agent = new Agent({ keepAlive: true, maxSockets: 32 });

  static async start(name, { environment = {} }, postgres, database) {
    const parley = Object.assign(new Parley(name, postgres), { port: await freePort(), database, environment });
    await parley.run();
    return parley;
  }

  async run() {
    const profile = process.env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : [];
    this.child = spawn(process.execPath, [...serverFlags, ...profile, join(root, 'dist/main.js')], {
      cwd: root,
      stdio: ['ignore', process.env.BENCH_LOG ? 'inherit' : 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(this.port),
        DATABASE_URL: this.database,
        APP_SECRET: SECRET,
        HOST_JWT_ISSUER: 'bench',
        HOST_JWT_AUDIENCE: 'bench',
        HOST_JWT_SECRET: SECRET,
        LOG_LEVEL: 'warn',
        RATE_SCALE: '100000',
        NODE_ENV: 'test',
        ...this.environment,
      },
    });
    for (;;) {
      const { status } = await this.rest(undefined, 'GET', '/ready').catch(() => ({ status: 0 }));
      if (status === 200) return;
      if (this.child.exitCode !== null) throw new Error(`Parley ended with ${this.child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Users come in with a token of the host application: nobody hashes passwords here. */
  async users(count) {
    return mapLimited(Array.from({ length: count }), 16, async () => {
      const token = hostToken();
      const { body } = await this.must(token, 'GET', '/api/v1/users/me');
      return { token, id: body.id };
    });
  }

  async world(rooms) {
    const most = Math.max(...rooms.map(({ members }) => members));
    const pool = await this.users(rooms[0].shared ? most : rooms.reduce((sum, { members }) => sum + members, 0));
    const conversations = [];
    const members = [];
    for (const room of rooms) {
      const people = rooms[0].shared ? pool.slice(0, room.members) : pool.splice(0, room.members);
      conversations.push(await this.#conversation(room.type, people));
      members.push(people.map(({ token }) => new SocketIoClient(token, randomUUID())));
    }
    return { conversations, members };
  }

  async loners(count) {
    return (await this.users(count)).map(({ token }) => new SocketIoClient(token, randomUUID()));
  }

  async #conversation(type, [owner, ...others]) {
    const ids = others.map(({ id }) => id);
    const title = type === 'direct' ? {} : { title: 'Bench' };
    const settings = type === 'channel' ? { settings: { whoCanPost: 'member' } } : {};
    const first = ids.splice(0, MEMBERS_AT_ONCE);
    const { body } = await this.must(owner.token, 'POST', '/api/v1/conversations', {
      type,
      memberIds: first,
      ...title,
      ...settings,
    });
    while (ids.length > 0) {
      await this.must(owner.token, 'POST', `/api/v1/conversations/${body.id}/members`, {
        userIds: ids.splice(0, MEMBERS_AT_ONCE),
      });
    }
    return body.id;
  }

  async must(...parts) {
    const answer = await this.rest(...parts);
    if (answer.status < 300) return answer;
    throw new Error(`${parts[1]} ${parts[2]} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  rest(token, method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
      };
      const call = request(
        { port: this.port, host: '127.0.0.1', agent: this.#agent, method, path, headers },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString();
            const json = response.headers['content-type']?.includes('json') && answer !== '';
            resolve({ status: response.statusCode, body: json ? JSON.parse(answer) : answer });
          });
        },
      );
      call.on('error', reject);
      call.end(text);
    });
  }
}

const startParley = (...parts) => Parley.start(...parts);
const startStub = (...parts) => Stub.start(...parts);
const kinds = {
  parley: { start: startParley },
  'parley, batches of 1': { start: startParley, environment: { MESSAGE_BATCH_MAX: '1' } },
  'Socket.IO, batched INSERT': { start: startStub, file: 'socketio.mjs', store: 'batched', client: SocketIoClient },
  'Socket.IO, no storage': { start: startStub, file: 'socketio.mjs', store: 'none', client: SocketIoClient },
  'ws, one INSERT': { start: startStub, file: 'ws.mjs', store: 'single', client: WsClient },
  'ws, batched INSERT': { start: startStub, file: 'ws.mjs', store: 'batched', client: WsClient },
  'ws, no storage': { start: startStub, file: 'ws.mjs', store: 'none', client: WsClient },
};
export const subjectNames = Object.keys(kinds);

/** Starts one on a database of its own; `environment` is for Parley. */
export async function startSubject(name, postgres, environment = {}) {
  const database = `bench_${randomUUID().replaceAll('-', '')}`;
  await query(postgres.url, `CREATE DATABASE ${database}`);
  const url = new URL(postgres.url);
  url.pathname = `/${database}`;
  const { start, ...kind } = kinds[name];
  kind.environment = { ...kind.environment, ...environment };
  return Object.assign(await start(name, kind, { ...postgres, url: url.href }, url.href), { url: url.href });
}

export async function query(url, text, values = []) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

export async function mapLimited(items, limit, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

function hostToken() {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'bench', aud: 'bench', sub: randomUUID(), iat: now, exp: now + 86_400 };
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

const postmaster = ({ dir }) => Number.parseInt(readFileSync(join(dir, 'data/postmaster.pid'), 'utf8'), 10);

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
