import { Injectable } from '@nestjs/common';
import type { Socket } from 'socket.io';
import { z } from 'zod';
import { Actors } from '../auth/actors.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { PROTOCOL } from './protocol.js';
import { Client } from './sockets.js';

const auth = z.object({
  token: z.string().max(8192),
  deviceId: z.string().min(1).max(128).optional(),
  protocol: z.unknown(),
});

const released = Object.freeze({ auth: {}, headers: {}, query: {} });

/** Who a connecting socket is: the token travels in the handshake's `auth` alone, never in the address. */
@Injectable()
export class Handshakes {
  constructor(
    private readonly actors: Actors,
    private readonly config: Config,
  ) {}

  /** @throws unsupported_protocol, unauthenticated, token_expired, session_revoked, account_suspended */
  async authenticate(socket: Socket): Promise<Client> {
    const given = socket.handshake.auth;
    // It holds the token, and would live as long as the socket.
    Object.assign(socket, { handshake: released });
    if (given['token'] === undefined) throw new DomainError('unauthenticated');
    if (given['protocol'] !== PROTOCOL)
      throw new DomainError('unsupported_protocol', { detail: `This server speaks protocol ${PROTOCOL}` });
    const parsed = auth.safeParse(given);
    if (!parsed.success) throw new DomainError('unauthenticated', { detail: 'token and deviceId are texts' });
    const { token, deviceId } = parsed.data;
    const actor = await this.actors.authenticate(token, deviceId);
    // Tokens of a host application may come without a device; built-in ones belong to the device of their session.
    const another = deviceId === undefined ? this.config.HOST_JWT_ISSUER === undefined : deviceId !== actor.deviceId;
    if (another) throw new DomainError('unauthenticated', { detail: 'deviceId is not that of the session' });
    return new Client(socket, actor.deviceId, actor);
  }
}
