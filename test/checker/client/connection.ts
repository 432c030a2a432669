import { io, type Socket } from 'socket.io-client';

export interface Problem {
  code: string;
  retryAfterMs?: number;
}
export type Answer<Data> = { ok: true; data: Data } | { ok: false; error: Problem };

/** Nobody knows whether the command was carried out. */
export class NoAnswer extends Error {}

export const ACK_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 5000;

/** One socket, from `ready` until it closes. It never reconnects: the device does, perhaps to another replica. */
export class Connection {
  /** Resolves with the reason. */
  readonly closed: Promise<string>;

  private constructor(
    private readonly socket: Socket,
    readonly ready: { epoch: string; replicaId: string },
  ) {
    this.closed = new Promise((resolve) => socket.once('disconnect', resolve));
  }

  /** Rejects when the replica cannot be reached or refuses. `listen` is called before anything can arrive. */
  static open(
    url: string,
    auth: { token: string; deviceId: string },
    listen: (on: (event: string, handle: (payload: never) => void) => void) => void,
  ): Promise<Connection> {
    const socket = io(`${url}/v1`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      timeout: OPEN_TIMEOUT_MS,
      auth: { ...auth, protocol: 1 },
    });
    listen((event, handle) => void socket.on(event, handle as (payload: unknown) => void));
    return new Promise((resolve, reject) => {
      const give = (error: Error): void => {
        clearTimeout(limit);
        socket.close();
        reject(error);
      };
      const limit = setTimeout(() => give(new Error('no ready in time')), OPEN_TIMEOUT_MS);
      socket.once('connect_error', give);
      socket.once('disconnect', (reason) => give(new Error(reason)));
      socket.once('ready', (ready: { epoch: string; replicaId: string }) => {
        clearTimeout(limit);
        socket.off('connect_error', give);
        resolve(new Connection(socket, ready));
      });
    });
  }

  /** @throws NoAnswer when there is none within 10 s, or the socket is gone before it */
  async ask<Data>(event: string, payload: unknown): Promise<Answer<Data>> {
    const lost = this.closed.then((reason): never => {
      throw new NoAnswer(reason);
    });
    const answer = this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload) as Promise<Answer<Data>>;
    try {
      return await Promise.race([answer, lost]);
    } catch (error) {
      throw error instanceof NoAnswer ? error : new NoAnswer((error as Error).message);
    }
  }

  close(): void {
    this.socket.close();
  }
}
