import { type IncomingMessage, type Server as HttpServer, type ServerResponse, STATUS_CODES } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Server } from 'socket.io';
import type { Config } from '../config/config.js';
import { type Problem, retryAfterSeconds } from '../errors/problem.js';
import { Connections } from './connections.js';
import { type GatheredConnection, GatheredWrites } from './gathered-writes.js';
import { HandshakeGate } from './handshake-gate.js';
import { CONNECT_TIMEOUT_MS, NAMESPACE, PING_INTERVAL_MS, PING_TIMEOUT_MS } from './protocol.js';

/**
 * Socket.IO on the HTTP server that is bound already. Nest's gateways are not used (ADR 0004), so the adapter only makes
 * the server, guards its door and hands the namespace over.
 */
export class GatedIoAdapter extends IoAdapter {
  private io: Server | undefined;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly config: Config,
  ) {
    super(app);
  }

  override createIOServer(): Server {
    return new Server({
      path: '/socket.io/',
      transports: this.config.SOCKET_POLLING ? ['polling', 'websocket'] : ['websocket'],
      maxHttpBufferSize: this.config.WS_FRAME_MAX,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      perMessageDeflate: false,
      httpCompression: false,
      serveClient: false,
      cors: { origin: this.config.CORS_ORIGINS },
      allowRequest: (request, decide) => void this.admit(request, decide),
    });
  }

  /** Sockets are served from now on. */
  attachTo(server: HttpServer): void {
    const io = this.createIOServer();
    this.io = io;
    // Who joins no namespace of ours is closed after the connect timeout.
    io.of('/').use((_socket, next) => next(new Error('not_found')));
    this.app.get(Connections).serve(io.of(NAMESPACE));
    io.attach(server);
    this.releaseRequests(io);
  }

  /** The request with its headers would stay in memory as long as the socket: Engine.IO and its response refer to it. */
  private releaseRequests({ engine }: Server): void {
    const responses = new WeakMap<object, { req?: unknown }>();
    engine.use((request: object, response: { req?: unknown }, next: () => void) => {
      responses.set(request, response);
      next();
    });
    const writes = new GatheredWrites();
    engine.on(
      'connection',
      (connection: GatheredConnection & { request: object | null; transport: { name: string } }) => {
        writes.gather(connection);
        const response = connection.request && responses.get(connection.request);
        if (response && connection.transport.name === 'websocket') response.req = null;
        connection.request = null;
      },
    );
  }

  /** Our dispatcher owns the connections. */
  override bindClientConnect(): void {}

  override async dispose(): Promise<void> {
    this.io?.engine.close();
  }

  private async admit(
    request: IncomingMessage & { res?: ServerResponse },
    decide: (error: null, allowed: boolean) => void,
  ): Promise<void> {
    const problem = await this.app.get(HandshakeGate).refusal(request);
    if (!problem) return decide(null, true);
    // Engine.IO knows only 400 and 403 without headers, so the refusal is written here and Engine.IO hears nothing more.
    refuse(request, problem);
  }
}

function refuse(request: IncomingMessage & { res?: ServerResponse }, problem: Problem): void {
  const body = JSON.stringify(problem);
  const retryAfter = retryAfterSeconds(problem);
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': problem.requestId,
    Connection: 'close',
    ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }),
  };
  if (request.res) {
    request.res.writeHead(problem.status, headers).end(body);
    return;
  }
  const { socket } = request;
  socket.on('error', () => socket.destroy());
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${head.join('')}\r\n${body}`);
}
