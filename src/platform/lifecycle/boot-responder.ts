import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BootState } from './boot-state.js';

export const livePaths: readonly string[] = ['/health', '/livez', '/api/health', '/api/v1/health'];
export const readyPaths: readonly string[] = ['/ready', '/readyz', '/api/v1/ready'];
export const startupPaths: readonly string[] = ['/startup', '/startupz', '/health/startup'];

/** What answers until the application is there: probes by rule, 503 with Retry-After for everything else. No I/O. */
export function createBootResponder(boot: BootState) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const probe = request.method === 'GET' || request.method === 'HEAD';
    if (probe && livePaths.includes(path)) return send(request, response, 200, 'application/json', liveBody(boot));
    if (!boot.readyOnce) response.setHeader('Retry-After', boot.retryAfterSeconds);
    if (probe && readyPaths.includes(path)) return send(request, response, 503, 'application/json', notReadyBody(boot));
    if (probe && startupPaths.includes(path))
      return send(request, response, 503, 'application/json', startupBody(boot));
    const requestId = requestIdOf(request);
    response.setHeader('X-Request-Id', requestId);
    // Nobody reads the body of a refused request; keeping the connection would make its bytes the next request.
    if (request.headers['content-length'] ?? request.headers['transfer-encoding'])
      response.setHeader('Connection', 'close');
    send(request, response, 503, 'application/problem+json', {
      type: 'urn:parley:problem:starting',
      title: 'Starting',
      status: 503,
      detail: `Parley is starting: ${boot.phase}`,
      instance: path,
      code: 'starting',
      requestId,
      errors: [],
      retryAfterMs: boot.retryAfterSeconds * 1000,
    });
  };
}

const liveBody = (boot: BootState) => ({
  status: 'starting',
  timestamp: new Date().toISOString(),
  uptime: Math.round(process.uptime()),
  version: boot.version,
  phase: boot.phase,
  database: 'connecting',
  scheduler: 'waiting',
  services: { database: 'unknown', aws: 'unknown', socket: 'unknown' },
});

const notReadyBody = (boot: BootState) => ({
  status: 'not_ready',
  phase: boot.phase,
  checks: { schema: { ...boot.detail } },
});

/** Boot phases with their milliseconds; the answer of /startup in every phase. */
export const startupBody = (boot: BootState) => ({
  status: boot.readyOnce ? 'started' : 'starting',
  phase: boot.phase,
  phases: boot.finished,
});

function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{8,64}$/.test(given)
    ? given
    : randomBytes(9).toString('base64url');
}

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
