import { Parley, type ParleyError } from '@parley/client';
import { newId, newSecret } from '../platform/clock/clock.js';

/** Where an installation is, and who asks. */
export interface Target {
  /** Without a slash at its end. */
  url: string;
  production: boolean;
  /** HEALTH_PROBE_TOKEN, for what is not for everybody. */
  probeToken: string | undefined;
}

/** Two people made for the time of the checks, and a conversation between them. */
export interface People {
  ada: Parley;
  ben: Parley;
}

/** What a check finds: a sentence, or the reason why it could not be made. Throws when it fails. */
export type Finding = string | { notRun: string };

export interface InstallationCheck {
  name: string;
  /** Whether it writes, as the two people. */
  people?: true;
  run: (target: Target, people: People) => Promise<Finding>;
}

const TIMEOUT_MS = 30_000;

function ask(target: Target, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${target.url}${path}`, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
}

async function expectStatus(target: Target, path: string, wanted: number, init: RequestInit = {}): Promise<Response> {
  const response = await ask(target, path, init);
  if (response.status !== wanted) throw new Error(`${path} answers ${response.status}, not ${wanted}`);
  return response;
}

/** RFC 9457 with a code, and nothing of the inside. */
async function expectProblem(target: Target, path: string, status: number, init: RequestInit = {}): Promise<void> {
  const response = await expectStatus(target, path, status, init);
  const text = await response.text();
  const problem = JSON.parse(text) as { code?: string };
  if (!response.headers.get('content-type')?.startsWith('application/problem+json') || !problem.code)
    throw new Error(`${path} does not answer as a problem`);
  if (/node_modules|\.ts:|\.js:\d/.test(text)) throw new Error(`${path} shows where in the program it failed`);
}

interface Component {
  status: string;
}
/** What /ready says about its parts. */
async function components(target: Target): Promise<{ status: string; checks: Record<string, Component> }> {
  const response = await ask(target, '/ready');
  const { status = String(response.status), checks = {} } = (await response.json()) as {
    status?: string;
    checks?: Record<string, Component>;
  };
  if (response.status !== 200) throw new Error(`/ready answers ${response.status}: ${status}`);
  return { status, checks };
}

interface QueueCheck {
  driver?: string;
  latencyMs?: number;
  error?: { class: string; detail: string };
}

/** The parts that are not as they should be. */
const ailing = (checks: Record<string, Component>, names: string[]): string[] =>
  names.filter((name) => checks[name] && !['up', 'ok', 'pass'].includes(checks[name].status));

async function once<Value>(what: string, work: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const LOOK_AGAIN_MS = 200;

/** Uploads are looked at by a scanner and get smaller variants before anybody sees them. */
async function untilReady(person: Parley, mediaId: string): Promise<void> {
  for (;;) {
    const { state } = await person.api.media(mediaId);
    if (state === 'ready') return;
    if (state === 'rejected') throw new Error('the picture is rejected');
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

// A valid picture of one pixel.
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

interface OpenApi {
  paths: Record<string, { get?: { security?: unknown[]; parameters?: { required?: boolean; in?: string }[] } }>;
}

/** The named checks of docs/checklist.md, in the order in which they are made. */
export const installationChecks: readonly InstallationCheck[] = [
  {
    name: 'health',
    run: async (target) => {
      const health = (await (await expectStatus(target, '/health', 200)).json()) as Record<string, unknown>;
      return `version ${String(health['version'])}, ${String(health['phase'])}, up for ${String(health['uptime'])} s`;
    },
  },
  {
    name: 'database',
    run: async (target) => {
      const { checks } = await components(target);
      const bad = ailing(checks, ['database', 'schema']);
      if (bad.length > 0) throw new Error(`${bad.join(', ')}: ${bad.map((name) => checks[name]?.status).join(', ')}`);
      if (!target.probeToken) return 'database and schema are ready';
      const authorization = `Bearer ${target.probeToken}`;
      const began = performance.now();
      await expectStatus(target, '/api/v1/db-check', 200, { headers: { authorization } });
      return `ready; a round trip through the pool in ${Math.round(performance.now() - began)} ms`;
    },
  },
  {
    name: 'storage, queue and bus',
    run: async (target) => {
      const { status, checks } = await components(target);
      const bad = ailing(checks, Object.keys(checks));
      if (status !== 'ok' || bad.length > 0) throw new Error(`degraded: ${bad.join(', ') || status}`);
      return Object.keys(checks).join(', ') || 'nothing is degraded';
    },
  },
  {
    name: 'work',
    run: async (target) => {
      if (!target.probeToken) return { notRun: 'HEALTH_PROBE_TOKEN is not set here' };
      const headers = { authorization: `Bearer ${target.probeToken}` };
      const response = await ask(target, '/api/v1/queue-check', { method: 'POST', headers });
      const { driver, latencyMs, error } = (await response.json()) as QueueCheck;
      if (error && driver)
        throw new Error(`sent through ${driver}: ${error.detail}. Does a process with ROLE all or worker run?`);
      if (response.status !== 200) throw new Error(`/api/v1/queue-check answers ${response.status}`);
      return `sent through ${driver}, with a worker after ${latencyMs} ms`;
    },
  },
  {
    name: 'errors',
    run: async (target) => {
      await expectProblem(target, `/api/v1/${newId()}`, 404);
      await expectProblem(target, '/api/v1/users/me', 401);
      const json = { 'content-type': 'application/json' };
      await expectProblem(target, '/api/v1/auth/login', 400, { method: 'POST', headers: json, body: '{' });
      return 'unknown, unauthorised and malformed requests get problems without an inside';
    },
  },
  {
    name: 'exposure',
    run: async (target) => {
      if (!target.production) return { notRun: 'only with --production' };
      if (!target.url.startsWith('https://')) throw new Error('the address is not https');
      for (const path of ['/api/v1/dev/otp-inbox?identifier=nobody%40example.com', '/api/v1/demo/chaos']) {
        const { status } = await ask(target, path);
        if (status < 400) throw new Error(`${path} is open`);
      }
      const metrics = await ask(target, '/metrics');
      if (metrics.status === 200) throw new Error('/metrics is open to everybody: set METRICS_TOKEN');
      const { headers } = await ask(target, '/health');
      if (!headers.get('strict-transport-security'))
        throw new Error('no Strict-Transport-Security: is NODE_ENV production?');
      return 'https, development routes closed, metrics behind a token';
    },
  },
  {
    name: 'endpoints',
    people: true,
    run: async (target, { ada }) => {
      const response = await ask(target, '/openapi.json');
      if (response.status === 404) return { notRun: 'DOCS_ENABLED is off: the list of routes is not served' };
      const { paths } = (await response.json()) as OpenApi;
      const plain = Object.entries(paths).filter(
        ([path, { get }]) => get && !path.includes('{') && !get.parameters?.some(({ required }) => required),
      );
      const authorization = `Bearer ${ada.tokens?.accessToken ?? ''}`;
      for (const [path] of plain) {
        const { status } = await ask(target, path, { headers: { authorization } });
        if (status === 404 || status >= 500) throw new Error(`GET ${path} answers ${status}`);
      }
      return `${plain.length} routes answer`;
    },
  },
  {
    name: 'messages',
    people: true,
    run: async (_target, { ada, ben }) => {
      const chat = await ada.direct(ben.userId);
      const sent = await chat.send('written by parley verify');
      await chat.edit(sent.seq, 'edited by parley verify');
      const { items } = await ada.api.history(chat.id, { limit: 1 });
      if (items[0]?.body !== 'edited by parley verify') throw new Error('an edited message is not read back');
      const deleted = await chat.delete(sent.seq);
      if (deleted.deletedAt === null) throw new Error('a deleted message is not deleted');
      return 'written, edited, read and deleted';
    },
  },
  {
    name: 'sockets',
    people: true,
    run: async (_target, { ada, ben }) => {
      const heard = ben.once('message');
      const chat = await ada.direct(ben.userId);
      const began = performance.now();
      await chat.send('heard by parley verify');
      const { message } = await once('the other side', heard);
      if (message.body !== 'heard by parley verify') throw new Error('the other side heard something else');
      return `two clients; one heard the other after ${Math.round(performance.now() - began)} ms`;
    },
  },
  {
    name: 'files',
    people: true,
    run: async (target, { ada }) => {
      const media = await ada.api.upload(new Blob([PIXEL], { type: 'image/png' }), { name: 'verify.png' });
      await once('the picture', untilReady(ada, media.id));
      const { url } = await ada.api.mediaUrl(media.id);
      const response = await fetch(new URL(url, target.url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200 || !body.subarray(0, 8).equals(PIXEL.subarray(0, 8)))
        throw new Error(`the picture does not come back (${response.status})`);
      return `${PIXEL.length} bytes uploaded and downloaded`;
    },
  },
  {
    name: 'notifications',
    people: true,
    run: async (_target, { ada, ben }) => {
      const noticed = new Promise<void>((resolve) => {
        ben.on('user.change', ({ t }) => {
          if (t === 'notification') resolve();
        });
      });
      const chat = await ada.direct(ben.userId);
      await chat.send({ body: 'mentioned by parley verify', mentions: [ben.userId] });
      await once('the notification', noticed);
      const { items } = await ben.rest.get<{ items: unknown[] }>('/notifications');
      if (items.length === 0) throw new Error('the list of notifications is empty');
      return 'a mention reached the list of the one who was mentioned';
    },
  },
];

/** Registers the two and connects them; undefined where registration is closed. */
export async function makePeople({ url }: Target): Promise<{ people: People; leave: () => Promise<void> } | undefined> {
  const made: { person: Parley; password: string }[] = [];
  const enter = async (displayName: string): Promise<Parley> => {
    const password = newSecret(16);
    const identifier = `parley-verify-${newId()}@example.com`;
    const person = await Parley.register(url, { identifier, password, displayName });
    made.push({ person, password });
    await once('the socket', person.connect());
    return person;
  };
  const leave = async (): Promise<void> => {
    for (const { person, password } of made) {
      await person.rest.request('DELETE', '/users/me', { body: { password, erase: true } }).catch(() => undefined);
      person.close();
    }
  };
  try {
    return { people: { ada: await enter('Verify A'), ben: await enter('Verify B') }, leave };
  } catch (error) {
    await leave();
    if ((error as ParleyError).code === 'registration_closed') return undefined;
    throw error;
  }
}
