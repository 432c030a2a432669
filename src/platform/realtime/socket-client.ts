import type { Socket } from 'socket.io';
import type { Actor } from '../auth/actor.js';

/** One connected socket. `actor` is replaced when the client refreshes its token. */
export interface SocketClient {
  readonly socket: Socket;
  readonly deviceId: string;
  actor: Actor;
}
