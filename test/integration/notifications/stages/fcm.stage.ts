import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { FcmPush } from '../../../../src/modules/notifications/push/fcm.driver.js';
import { FakeProvider, type Received, type Reply } from '../fake-provider.js';
import { httpTrouble, type Mood, type Shown, type Stage, TIMEOUT_MS } from './stage.js';

interface Message {
  token: string;
  data: Record<string, string>;
  notification?: { title?: string; body?: string };
  android: { collapse_key?: string; notification?: { tag?: string; notification_count?: number } };
  apns: { headers: Record<string, string>; payload: { aps: { badge?: number; 'content-available'?: number } } };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const failed = (status: number, word: string, errorCode = word, headers = {}): Reply =>
  json(
    status,
    {
      error: {
        code: status,
        message: word,
        status: word,
        details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }],
      },
    },
    headers,
  );

export interface FcmStage extends Stage {
  /** Signs in with a key that Google does not know. */
  impostor: FcmPush;
  /** Exchanges of an assertion for a token. */
  signIns: () => number;
  /** Life of a token, in s. */
  lives(seconds: number): void;
  /** Forgets the tokens it gave. */
  forget(): void;
  /** Answers sign-ins with this. */
  signInSays(reply: Reply): void;
  /** Answers pushes with this until the next mood. */
  reply(reply: Reply): void;
}

/** Google: the token endpoint (RFC 7523) and Firebase's HTTP v1 API behind it. */
export async function fcmStage(): Promise<FcmStage> {
  const provider = await FakeProvider.start();
  const keys = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [mine, foreign] = [keys(), keys()];
  const account = (key: typeof mine.privateKey) => ({
    project_id: 'parley-test',
    client_email: 'push@parley-test.iam.gserviceaccount.com',
    private_key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    token_uri: `${provider.url}/token`,
  });
  const given = new Set<string>();
  const taken: Message[] = [];
  let signIns = 0;
  let life = 3600;
  let signInReply: Reply | 'honest' = 'honest';
  let sendReply: (message: Message) => Reply = () => json(200, {});

  const signIn = async ({ body }: Received): Promise<Reply> => {
    signIns += 1;
    if (signInReply !== 'honest') return signInReply;
    const form = new URLSearchParams(body.toString());
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return json(400, { error: 'unsupported_grant_type' });
    try {
      const { payload } = await jwtVerify(form.get('assertion') ?? '', mine.publicKey, {
        issuer: 'push@parley-test.iam.gserviceaccount.com',
        audience: `${provider.url}/token`,
        algorithms: ['RS256'],
        maxTokenAge: '1h',
        requiredClaims: ['exp', 'iat', 'scope'],
      });
      if (payload['scope'] !== 'https://www.googleapis.com/auth/firebase.messaging')
        return json(400, { error: 'invalid_scope' });
    } catch {
      return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    }
    const token = `ya29.${signIns}`;
    given.add(token);
    return json(200, { access_token: token, expires_in: life, token_type: 'Bearer' });
  };
  const send = ({ path, headers, body }: Received): Reply => {
    if (path !== '/v1/projects/parley-test/messages:send') return failed(404, 'NOT_FOUND');
    if (!given.has(String(headers.authorization).replace('Bearer ', ''))) return failed(401, 'UNAUTHENTICATED');
    const { message } = JSON.parse(body.toString()) as { message: Message };
    const { data, notification } = message;
    if (Object.values(data).some((value) => typeof value !== 'string')) return failed(400, 'INVALID_ARGUMENT');
    if (Buffer.byteLength(JSON.stringify({ data, notification })) > 4096) return failed(400, 'INVALID_ARGUMENT');
    return sendReply(message);
  };
  const mood = (now: Mood) => {
    sendReply = (message) => {
      switch (now) {
        case 'ok':
          taken.push(message);
          return json(200, { name: `projects/parley-test/messages/0:${taken.length}` });
        case 'dead':
          return failed(404, 'NOT_FOUND', 'UNREGISTERED');
        case 'busy':
          return failed(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', { 'retry-after': '7' });
        case 'down':
          return failed(503, 'UNAVAILABLE');
        case 'too-large':
          return failed(400, 'INVALID_ARGUMENT');
        default:
          return httpTrouble[now];
      }
    };
  };
  mood('ok');
  provider.reply = (request) => (request.path === '/token' ? signIn(request) : send(request));
  return {
    driver: new FcmPush(account(mine.privateKey), provider.url, TIMEOUT_MS),
    impostor: new FcmPush(account(foreign.privateKey), provider.url, TIMEOUT_MS),
    token: 'fcm-registration-token',
    mood,
    signIns: () => signIns,
    lives: (seconds) => (life = seconds),
    forget: () => given.clear(),
    signInSays: (reply) => (signInReply = reply),
    reply: (reply) => (sendReply = () => reply),
    shown: () =>
      Promise.resolve(
        taken.map(({ token, data, notification, android, apns }): Shown => {
          if (token !== 'fcm-registration-token') throw new Error('another token');
          const collapse = android.notification?.tag;
          const { aps } = apns.payload;
          if (apns.headers['apns-collapse-id'] !== collapse || android.collapse_key !== collapse)
            throw new Error('iOS and Android would collapse differently');
          if (notification && aps.badge !== android.notification?.notification_count)
            throw new Error('iOS and Android would count differently');
          const { title = null, body = null } = notification ?? {};
          const silent = notification === undefined && aps['content-available'] === 1;
          return { title, body, badge: aps.badge ?? null, collapse, data, silent };
        }),
      ),
    close: () => provider.close(),
  };
}
