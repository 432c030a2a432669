import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Namespace, Socket } from 'socket.io';
import { epochMs, jitter, now } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { toProblem } from '../errors/problem.js';
import { reportUnexpected } from '../errors/report-unexpected.js';
import { translateError } from '../errors/translate-error.js';
import { REPLICA_ID } from '../events/events.module.js';
import type { DrainableSockets } from '../lifecycle/drain.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { newRequestId } from '../logging/request-context.js';
import { Arrivals } from './arrivals.js';
import { CommandDispatcher } from './command-dispatcher.js';
import { HandshakeGate } from './handshake-gate.js';
import { Handshakes } from './handshakes.js';
import { HeadsHints } from './heads-hints.js';
import { CONNECT_TIMEOUT_MS } from './protocol.js';
import { readyView } from './ready.view.js';
import { RoomSequencer } from './room-sequencer.js';
import { Rooms } from './rooms.js';
import { ServerEpoch } from './server-epoch.js';
import { SendBuffer } from './send-buffer.js';
import { SlowSockets } from './slow-sockets.js';
import { Client, type CloseReason, Sockets } from './sockets.js';
import { UserSequencer } from './user-sequencer.js';

const SWEEP_MS = 1000;
const DRAIN_TICK_MS = 100;
/** How long a closing peer may take to say goodbye. */
const CLOSE_ANSWER_MS = 1000;

/** The life of every socket of this replica: sign-in, rooms and `ready`, end of its token, orderly stop. */
@Injectable()
export class Connections implements DrainableSockets, OnApplicationShutdown {
  private sweep: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: Config,
    private readonly gate: HandshakeGate,
    private readonly handshakes: Handshakes,
    private readonly sockets: Sockets,
    private readonly rooms: Rooms,
    private readonly arrivals: Arrivals,
    private readonly roomSequencer: RoomSequencer,
    private readonly userSequencer: UserSequencer,
    private readonly heads: HeadsHints,
    private readonly slow: SlowSockets,
    private readonly epoch: ServerEpoch,
    private readonly dispatcher: CommandDispatcher,
    private readonly log: Log,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  /** Serves this namespace from now on. */
  serve(namespace: Namespace): void {
    this.rooms.use(namespace);
    namespace.use((socket, next) => void this.signIn(socket, next));
    namespace.on('connection', (socket) => void this.welcome(socket));
    this.rooms.onLeave((conversationId, socketId) => this.roomSequencer.left(conversationId, socketId));
    this.rooms.onEmpty((conversationId) => this.roomSequencer.closed(conversationId));
    this.heads.start((conversationId) => this.roomSequencer.position(conversationId));
    this.slow.start();
    this.sweep = setInterval(() => this.closeExpired(), SWEEP_MS);
    this.sweep.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweep);
  }

  refuse(): void {
    this.gate.close();
  }

  /** Never through a namespace disconnect: after that clients do not come back by themselves. */
  async drain(spreadMs: number): Promise<void> {
    const clients = [...this.sockets];
    for (const { socket } of clients) socket.emit('server.draining', { reconnectAfterMs: jitter(spreadMs) });
    const ticks = Math.max(1, Math.floor(spreadMs / DRAIN_TICK_MS));
    const batch = Math.ceil(clients.length / ticks);
    for (let i = 0; i < clients.length; i += batch) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_TICK_MS));
      for (const { socket } of clients.slice(i, i + batch)) socket.conn.close();
    }
    this.closeRest(clients);
  }

  /** Connections that never signed in, and peers that do not answer the close: they would hold the server open. */
  private closeRest(clients: readonly Client[]): void {
    for (const connection of this.rooms.connections()) connection.close();
    const buffers = clients.map(({ socket }) => new SendBuffer(socket));
    setTimeout(() => buffers.forEach((buffer) => buffer.discard()), CLOSE_ANSWER_MS).unref();
  }

  /** Ends every socket of these auth sessions; clients do not reconnect by themselves. */
  revoke(userId: string, sessionIds: ReadonlySet<string>, reason: CloseReason): void {
    for (const client of this.sockets.of(userId)) if (sessionIds.has(client.actor.sessionId)) this.end(client, reason);
  }

  /** Lets every client come again and sync, after the database lost or replaced what they may have seen. */
  restartAll(): void {
    for (const { socket } of this.sockets) socket.conn.close();
  }

  end(client: Client, reason: CloseReason): void {
    client.ended = reason;
    client.socket.emit('session.revoked', { reason });
    client.socket.disconnect();
  }

  private async signIn(socket: Socket, next: (error?: Error) => void): Promise<void> {
    try {
      const client = await this.handshakes.authenticate(socket);
      const { userId } = client;
      const max = this.config.MAX_SOCKETS_PER_USER;
      if (!this.sockets.reserve(userId, max)) throw new DomainError('limit_exceeded', { limit: 'sockets', max });
      socket.data = client;
      next();
      // Socket.IO connects in the next tick; then the place is taken by the socket itself, or free again.
      process.nextTick(() => this.sockets.release(userId));
    } catch (thrown) {
      this.refuseSignIn(socket, thrown, next);
    }
  }

  private refuseSignIn(socket: Socket, thrown: unknown, next: (error: Error) => void): void {
    const error = translateError(thrown);
    metrics.wsConnects.inc({ result: error.code });
    reportUnexpected(this.log, error, { event: 'connect' });
    // A refusal in the namespace is final for the client; one that may pass later closes the transport instead.
    if (error.status >= 500) {
      socket.conn.close();
      return;
    }
    const refusal = new Error(error.code) as Error & { data?: unknown };
    refusal.data = toProblem(error, '/socket.io/', newRequestId(), jitter);
    next(refusal);
  }

  private async welcome(socket: Socket): Promise<void> {
    const client = socket.data as Client;
    this.sockets.add(client);
    metrics.wsConnects.inc({ result: 'ok' });
    metrics.wsConnections.set(this.sockets.size);
    socket.on('disconnect', (reason) => this.forget(client, reason));
    this.dispatcher.serve(client);
    try {
      const userRev = await this.arrivals.enter(client);
      if (!socket.connected) return;
      socket.emit(
        'ready',
        readyView(this.config, client, {
          epoch: this.epoch.current,
          replicaId: this.replicaId,
          userRev,
          serverTime: now(),
        }),
      );
    } catch (thrown) {
      const error = translateError(thrown);
      reportUnexpected(this.log, error, { event: 'ready' });
      this.log.warn('socket.not_ready', { code: error.code });
      socket.conn.close();
    }
  }

  private forget(client: Client, reason: string): void {
    this.sockets.remove(client, reason === 'client namespace disconnect');
    this.slow.forget(client);
    if (this.sockets.of(client.userId).size === 0) this.userSequencer.close(client.userId);
    metrics.wsConnections.set(this.sockets.size);
    metrics.wsDisconnects.inc({ reason: reason.replaceAll(' ', '_') });
    const { conn } = client.socket;
    if (conn.readyState !== 'open') return;
    // Only the namespace was left: a connection that does nothing is not kept.
    setTimeout(() => conn.close(), CONNECT_TIMEOUT_MS).unref();
  }

  private closeExpired(): void {
    const at = epochMs();
    for (const client of this.sockets) if (client.actor.expiresAt <= at) this.end(client, 'token_expired');
  }
}
