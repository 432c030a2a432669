import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { Connection, type ConnectionState } from './connection.js';

const HOUR_MS = 3_600_000;

describe('Connection', () => {
  let io: Server;
  let url: string;
  let connection: Connection;
  let sockets: Socket[];
  let states: ConnectionState[];
  beforeEach(async () => {
    const server = createServer();
    io = new Server(server);
    sockets = [];
    states = [];
    io.of('/v1').on('connection', (socket) => {
      sockets.push(socket);
      socket.emit('ready', {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    connection.close();
    await io.close();
  });

  const open = async (tokens: { accessToken(renew?: boolean): Promise<string> }) => {
    connection = new Connection(url, {
      tokens: { ...tokens, deviceId: 'device' } as never,
      ready: () => undefined,
      lost: () => undefined,
      event: () => undefined,
      state: (state) => states.push(state),
    });
    connection.open();
    await connection.untilReady();
  };
  const lose = async (hint?: number) => {
    const waits = jest.spyOn(globalThis, 'setTimeout');
    const gone = once(sockets.at(-1) as Socket, 'disconnect');
    if (hint !== undefined) sockets.at(-1)?.emit('server.draining', { reconnectAfterMs: hint });
    sockets.at(-1)?.conn.close();
    await gone;
    while (connection.online) await new Promise((resolve) => setImmediate(resolve));
    const asked = waits.mock.calls.map(([, ms]) => ms);
    waits.mockRestore();
    return asked;
  };
  const steady = { accessToken: async () => 'token' };

  it('comes back when a draining server said, and at once when the network is back', async () => {
    await open(steady);
    expect(await lose(HOUR_MS)).toContain(HOUR_MS);
    expect(sockets).toHaveLength(1);
    connection.hurry();
    await connection.untilReady();
    expect(sockets).toHaveLength(2);
  });

  it('takes the hint for that close alone', async () => {
    await open(steady);
    await lose(HOUR_MS);
    connection.hurry();
    await connection.untilReady();
    expect(await lose()).not.toContain(HOUR_MS);
    await connection.untilReady();
    expect(sockets).toHaveLength(3);
  });

  it('brings a new token after the old one was revoked', async () => {
    const renewals: (boolean | undefined)[] = [];
    await open({
      accessToken: async (renew) => {
        renewals.push(renew);
        return renewals.includes(true) ? 'new' : 'old';
      },
    });
    expect(sockets[0]?.handshake.auth).toMatchObject({ token: 'old', deviceId: 'device', protocol: 1 });
    sockets[0]?.emit('session.revoked', { reason: 'token_expired' });
    await lose();
    await connection.untilReady();
    expect(renewals).toContain(true);
    expect(sockets[1]?.handshake.auth).toMatchObject({ token: 'new' });
  });
});
