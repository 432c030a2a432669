import { createDecipheriv, createECDH, createHmac, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, jwtVerify } from 'jose';

export const SECRET = 'the-secret-of-the-receiver';

/** One request a provider or receiver got. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}
export interface Envelope<Data = Record<string, unknown>> {
  id: string;
  type: string;
  createdAt: string;
  apiVersion: string;
  data: Data;
}
/** What it says to a request: an answer, bytes that are no HTTP, or nothing at all. */
export type Reply = { status: number; headers?: Record<string, string>; body?: string } | { raw: string } | undefined;

/** A server on loopback in the place of a push service or of the host application. */
export class FakeProvider {
  readonly received: Received[] = [];
  reply: (request: Received) => Reply | Promise<Reply> = () => ({ status: 201 });
  private readonly waiting = new Set<() => void>();
  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeProvider> {
    const server = createServer();
    const fake = new FakeProvider(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const got: Received = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
        fake.received.push(got);
        for (const look of fake.waiting) look();
        void (async () => {
          const reply = await fake.reply(got);
          if (reply && 'raw' in reply) response.socket?.end(reply.raw);
          else if (reply) response.writeHead(reply.status, reply.headers).end(reply.body);
        })();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Requests so far that satisfy the test, as soon as there are `count`. */
  async until(count: number, test: (received: Received) => boolean = () => true): Promise<Received[]> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`${this.received.filter(test).length} of ${count} requests within 20 s`));
      }, 20_000);
      const look = (): void => {
        const found = this.received.filter(test);
        if (found.length < count) return;
        clearTimeout(limit);
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The envelope, once its signature has been checked as a receiver would. */
export function verified<Data = Record<string, unknown>>({ headers, body }: Received, secret = SECRET): Envelope<Data> {
  const timestamp = String(headers['parley-timestamp']);
  const expected = `v1=${createHmac('sha256', secret).update(`${timestamp}.${body.toString()}`).digest('hex')}`;
  if (headers['parley-signature'] !== expected) throw new Error('the signature is wrong');
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) throw new Error('the timestamp is old');
  const envelope = JSON.parse(body.toString()) as Envelope<Data>;
  if (headers['parley-event-id'] !== envelope.id) throw new Error('the event id is another');
  return envelope;
}

/** A browser that has subscribed; it reads what the push service hands it. */
export class Browser {
  private readonly keys: ECDH = createECDH('prime256v1');
  private readonly auth = randomBytes(16);
  private readonly publicKey = this.keys.generateKeys();

  constructor(private readonly endpoint: string) {}

  subscription() {
    return {
      endpoint: this.endpoint,
      keys: { p256dh: this.publicKey.toString('base64url'), auth: this.auth.toString('base64url') },
    };
  }

  /** Decrypts a message (RFC 8291 over RFC 8188), written from the RFCs and not with the library that encrypts. */
  decrypt(body: Buffer): Record<string, unknown> {
    const salt = body.subarray(0, 16);
    const idLength = body.readUInt8(20);
    const sender = body.subarray(21, 21 + idLength);
    const sealed = body.subarray(21 + idLength);
    const shared = this.keys.computeSecret(sender);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.publicKey, sender]);
    const input = Buffer.from(hkdfSync('sha256', shared, this.auth, info, 32));
    const key = Buffer.from(hkdfSync('sha256', input, salt, 'Content-Encoding: aes128gcm\0', 16));
    const nonce = Buffer.from(hkdfSync('sha256', input, salt, 'Content-Encoding: nonce\0', 12));
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    const end = padded.lastIndexOf(2);
    return JSON.parse(padded.subarray(0, end).toString()) as Record<string, unknown>;
  }
}

/** Checks who signed a Web Push request (RFC 8292); answers the claims. */
export async function verifyVapid({ headers }: Received, vapidPublicKey: string, audience: string) {
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(String(headers.authorization)) ?? [];
  if (key !== vapidPublicKey) throw new Error('signed with another key');
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const jwk = await importJWK({ kty: 'EC', crv: 'P-256', x, y } as never, 'ES256');
  return (await jwtVerify(token, jwk, { audience })).payload;
}
