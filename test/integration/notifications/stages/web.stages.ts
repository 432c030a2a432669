import webpush from 'web-push';
import { WebhookPush } from '../../../../src/modules/notifications/push/webhook.driver.js';
import { WebPush } from '../../../../src/modules/notifications/push/webpush.driver.js';
import { Browser, FakeProvider, SECRET, verified, verifyVapid } from '../fake-provider.js';
import { httpTrouble, type Mood, type Shown, type Stage, TIMEOUT_MS } from './stage.js';

interface Data {
  title: string | null;
  body: string | null;
  badge: number | null;
  collapseKey: string;
  [more: string]: unknown;
}

const shownOf = (kind: unknown, { title, body, badge, ...data }: Data, collapse: string | undefined): Shown => ({
  title,
  body,
  badge,
  collapse,
  data: { kind, ...data },
  silent: kind === 'clear',
});

/** A push service of a browser: decrypts what only the browser can, and asks who signed. */
export async function webPushStage(): Promise<Stage> {
  const provider = await FakeProvider.start();
  const browser = new Browser(`${provider.url}/wp/device`);
  const vapid = { subject: 'mailto:push@example.com', ...webpush.generateVAPIDKeys() };
  const mood = (now: Mood) => {
    provider.reply = ({ headers, body }) => {
      if (now !== 'ok') return httpTrouble[now];
      if (body.length > 4096) return { status: 413 };
      return headers['ttl'] === undefined || headers['content-encoding'] !== 'aes128gcm'
        ? { status: 400 }
        : { status: 201 };
    };
  };
  mood('ok');
  return {
    driver: new WebPush(vapid, true, TIMEOUT_MS),
    token: JSON.stringify(browser.subscription()),
    mood,
    shown: () =>
      Promise.all(
        provider.received.map(async (request) => {
          await verifyVapid(request, vapid.publicKey, provider.url);
          const { kind, ...data } = browser.decrypt(request.body) as unknown as Data & { kind: string };
          return shownOf(kind, data, String(request.headers['topic']));
        }),
      ),
    close: () => provider.close(),
  };
}

/** The operator's own sender: checks the signature and the age of what it gets. */
export async function webhookStage(): Promise<Stage> {
  const provider = await FakeProvider.start();
  const mood = (now: Mood) => {
    provider.reply = () => (now === 'ok' ? { status: 204 } : httpTrouble[now]);
  };
  mood('ok');
  return {
    driver: new WebhookPush(`${provider.url}/push`, SECRET, TIMEOUT_MS),
    token: 'token-of-the-app',
    mood,
    shown: () =>
      Promise.resolve(
        provider.received.map((request) => {
          const { id, type, data } = verified<Data>(request);
          if (data['token'] !== 'token-of-the-app') throw new Error('another token');
          return shownOf(type.slice('push.'.length), { ...data, id }, data.collapseKey);
        }),
      ),
    close: () => provider.close(),
  };
}
