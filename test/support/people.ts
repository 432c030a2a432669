import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { HttpClient } from './http-client.js';
import { patiently } from './patiently.js';

export interface Person extends HttpClient {
  id: string;
  deviceId: string;
  sessionId: string;
  accessToken: string;
  refreshToken: string;
  identifier: string;
  password: string;
}

interface AuthResult {
  user: { id: string };
  tokens: { accessToken: string; refreshToken: string; sessionId: string; deviceId: string };
}

/** Registers somebody through REST and answers a client that acts as them. */
export async function register(url: string, displayName = 'Somebody'): Promise<Person> {
  const identifier = `${randomUUID()}@example.com`;
  const password = `password-${randomUUID()}`;
  const { status, body } = await patiently(() =>
    new HttpClient(url).post<AuthResult>('/api/v1/auth/register', { identifier, password, displayName }),
  );
  if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
  const { user, tokens } = body;
  return Object.assign(new HttpClient(url, tokens.accessToken), { ...tokens, id: user.id, identifier, password });
}

export const registerMany = (url: string, count: number): Promise<Person[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => register(url, `Person ${i}`)));

export type Ack<Data = Record<string, unknown>> =
  { ok: true; data: Data } | { ok: false; error: { code: string; status: number; detail: string } };

export interface Connection {
  socket: Socket;
  /** The payload of `ready`. */
  ready: Record<string, unknown>;
  /** Every event received so far, in order. */
  events: { event: string; payload: unknown }[];
  emit<Data = Record<string, unknown>>(event: string, payload?: unknown): Promise<Ack<Data>>;
  /** The first event, past or future, that satisfies the test. */
  until<Payload = Record<string, unknown>>(event: string, test?: (payload: Payload) => boolean): Promise<Payload>;
  close(): void;
}

/** Opens a socket and waits for `ready`; rejects with the connect_error. */
export async function connect(person: Pick<Person, 'url' | 'accessToken' | 'deviceId'>): Promise<Connection> {
  const socket = io(`${person.url}/v1`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token: person.accessToken, deviceId: person.deviceId, protocol: 1 },
  });
  const events: Connection['events'] = [];
  const waiting = new Set<() => void>();
  socket.onAny((event: string, payload: unknown) => {
    events.push({ event, payload });
    for (const wake of waiting) wake();
  });
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    socket.once('ready', resolve);
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });
  return {
    socket,
    ready,
    events,
    emit: async (event, payload) => (await socket.timeout(10_000).emitWithAck(event, payload)) as never,
    until: <Payload>(event: string, test: (payload: Payload) => boolean = () => true) =>
      new Promise<Payload>((resolve, reject) => {
        const limit = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no such ${event} within 15 s; seen: ${JSON.stringify(events.map((e) => e.event))}`));
        }, 15_000);
        const look = (): void => {
          const found = events.find((e) => e.event === event && test(e.payload as Payload));
          if (!found) return;
          clearTimeout(limit);
          waiting.delete(look);
          resolve(found.payload as Payload);
        };
        waiting.add(look);
        look();
      }),
    close: () => void socket.close(),
  };
}
