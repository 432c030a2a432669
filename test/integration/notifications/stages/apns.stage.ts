import { generateKeyPairSync } from 'node:crypto';
import {
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import { ApnsPush } from '../../../../src/modules/notifications/push/apns.driver.js';
import { selfSigned } from '../../../support/self-signed.js';
import { type Mood, type Shown, type Stage, TIMEOUT_MS } from './stage.js';

interface Payload {
  aps: { alert?: { title?: string; body?: string }; badge?: number; 'content-available'?: number };
  [more: string]: unknown;
}
type Refusal = [status: number, reason: string, headers?: Record<string, string>];

const TOPIC = 'com.example.parley';
const TEAM = 'TEAM123456';
const KEY_ID = 'KEY1234567';
const DEVICE = '0a'.repeat(32);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface ApnsStage extends Stage {
  /** Signs with a key that Apple does not know. */
  impostor: ApnsPush;
  /** Trusts nobody in particular, so not this server. */
  suspicious: ApnsPush;
  /** Connections so far. */
  connections: () => number;
  /** Ends every connection as a server does that is taken out of service. */
  goAway(): void;
  refuse(...refusal: Refusal): void;
}

/** Apple's push service: HTTP/2 over TLS, provider tokens, its headers and its words. */
export async function apnsStage(): Promise<ApnsStage> {
  const tls = selfSigned();
  const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [mine, foreign] = [keys(), keys()];
  const sessions = new Set<ServerHttp2Session>();
  const taken: { headers: IncomingHttpHeaders; payload: Payload }[] = [];
  let connections = 0;
  let trouble: Refusal | 'silent' | 'garbage' | undefined;

  const judge = async (headers: IncomingHttpHeaders, body: string): Promise<Refusal | undefined> => {
    const silent = headers['apns-push-type'] === 'background';
    if (headers[':method'] !== 'POST') return [405, 'MethodNotAllowed'];
    if (headers[':path'] !== `/3/device/${DEVICE}`) return [400, 'BadDeviceToken'];
    if (headers['apns-topic'] !== TOPIC) return [400, 'BadTopic'];
    if (!silent && headers['apns-push-type'] !== 'alert') return [400, 'InvalidPushType'];
    if (headers['apns-priority'] !== (silent ? '5' : '10')) return [400, 'BadPriority'];
    if (!uuid.test(String(headers['apns-id']))) return [400, 'BadMessageId'];
    if (!(Number(headers['apns-expiration']) > Date.now() / 1000)) return [400, 'BadExpirationDate'];
    if (Buffer.byteLength(String(headers['apns-collapse-id'] ?? '')) > 64) return [400, 'BadCollapseId'];
    if (Buffer.byteLength(body) > 4096) return [413, 'PayloadTooLarge'];
    try {
      const token = String(headers['authorization']).replace(/^bearer /, '');
      const options = { issuer: TEAM, algorithms: ['ES256'], maxTokenAge: '1h' };
      const { protectedHeader } = await jwtVerify(token, mine.publicKey, options);
      return protectedHeader.kid === KEY_ID ? undefined : [403, 'InvalidProviderToken'];
    } catch {
      return [403, 'InvalidProviderToken'];
    }
  };
  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    const body = await text(stream);
    if (trouble === 'silent') return;
    if (trouble === 'garbage') return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const refusal = (await judge(headers, body)) ?? trouble;
    const id = { 'apns-id': headers['apns-id'] };
    if (!refusal) {
      taken.push({ headers, payload: JSON.parse(body) as Payload });
      stream.respond({ ':status': 200, ...id });
      stream.end();
      return;
    }
    const [status, reason, more = {}] = refusal;
    stream.respond({ ':status': status, ...id, ...more });
    stream.end(JSON.stringify({ reason }));
  };

  const server = createSecureServer(tls);
  server.on('session', (session) => {
    connections += 1;
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    void answer(stream, headers).catch(() => stream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const driver = (key: typeof mine.privateKey, ca?: string) =>
    new ApnsPush({
      origin,
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      keyId: KEY_ID,
      teamId: TEAM,
      topic: TOPIC,
      timeoutMs: TIMEOUT_MS,
      ...(ca === undefined ? {} : { ca }),
    });
  const drivers = {
    driver: driver(mine.privateKey, tls.cert),
    impostor: driver(foreign.privateKey, tls.cert),
    suspicious: driver(mine.privateKey),
  };

  const mood = (now: Mood): void => {
    const troubles: Record<Mood, typeof trouble> = {
      ok: undefined,
      dead: [410, 'Unregistered'],
      busy: [429, 'TooManyRequests', { 'retry-after': '7' }],
      down: [503, 'ServiceUnavailable'],
      'too-large': [413, 'PayloadTooLarge'],
      silent: 'silent',
      garbage: 'garbage',
    };
    trouble = troubles[now];
  };
  return {
    ...drivers,
    token: DEVICE,
    mood,
    connections: () => connections,
    goAway: () => {
      for (const session of sessions) session.goaway();
    },
    refuse: (...refusal) => (trouble = refusal),
    shown: () =>
      Promise.resolve(
        taken.map(({ headers, payload: { aps, ...data } }): Shown => {
          const { title = null, body = null } = aps.alert ?? {};
          const collapse = headers['apns-collapse-id'];
          const silent = aps['content-available'] === 1 && aps.alert === undefined;
          return {
            title,
            body,
            badge: aps.badge ?? null,
            collapse: typeof collapse === 'string' ? collapse : undefined,
            data,
            silent,
          };
        }),
      ),
    close: async () => {
      for (const one of Object.values(drivers)) one.close();
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
