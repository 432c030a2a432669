import { ExpoPush } from '../../../../src/modules/notifications/push/expo.driver.js';
import { FakeProvider, type Reply } from '../fake-provider.js';
import { httpTrouble, type Mood, type Shown, type Stage, TIMEOUT_MS } from './stage.js';

interface Message {
  to: string;
  title?: string;
  body?: string;
  badge?: number;
  collapseId?: string;
  tag?: string;
  data: Record<string, unknown>;
  _contentAvailable?: boolean;
}
type Verdict = { status: 'ok'; id?: string } | { status: 'error'; message: string; details: { error: string } };

const ACCESS = 'expo-access-token';
const json = (status: number, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const failed = (error: string): Verdict => ({ status: 'error', message: error, details: { error } });

export interface ExpoStage extends Stage {
  url: string;
  /** What receipts say, by ticket. */
  receipts: Map<string, Verdict>;
  tickets: string[];
  /** Answers everything with this until the next mood. */
  reply(reply: Reply): void;
}

/** Expo's push service: tickets, and receipts for them. */
export async function expoStage(): Promise<ExpoStage> {
  const provider = await FakeProvider.start();
  const taken: Message[] = [];
  const tickets: string[] = [];
  const receipts = new Map<string, Verdict>();

  const send = (now: Mood, body: string): Reply => {
    const messages = JSON.parse(body) as Message[];
    if (!Array.isArray(messages) || messages.length !== 1) return json(400, { errors: [{ code: 'VALIDATION_ERROR' }] });
    const [message] = messages as [Message];
    if (now === 'dead') return json(200, { data: [failed('DeviceNotRegistered')] });
    if (now === 'too-large' || Buffer.byteLength(JSON.stringify(message)) > 4096)
      return json(200, { data: [failed('MessageTooBig')] });
    if (!/^ExponentPushToken\[.+\]$/.test(message.to)) return json(400, { errors: [{ code: 'VALIDATION_ERROR' }] });
    taken.push(message);
    const id = `ticket-${tickets.length}`;
    tickets.push(id);
    return json(200, { data: [{ status: 'ok', id }] });
  };
  const mood = (now: Mood) => {
    provider.reply = ({ path, headers, body }) => {
      if (now !== 'ok' && now !== 'dead' && now !== 'too-large') return httpTrouble[now];
      if (headers.authorization !== `Bearer ${ACCESS}`) return json(401, { errors: [{ code: 'UNAUTHORIZED' }] });
      if (path === '/--/api/v2/push/send') return send(now, body.toString());
      if (path !== '/--/api/v2/push/getReceipts') return json(404, { errors: [{ code: 'NOT_FOUND' }] });
      const { ids } = JSON.parse(body.toString()) as { ids: string[] };
      const known = ids.flatMap((id) => (receipts.has(id) ? [[id, receipts.get(id)]] : []));
      return json(200, { data: Object.fromEntries(known) as unknown });
    };
  };
  mood('ok');
  return {
    url: provider.url,
    receipts,
    tickets,
    driver: new ExpoPush(ACCESS, provider.url, TIMEOUT_MS),
    token: 'ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]',
    mood,
    reply: (reply) => (provider.reply = () => reply),
    shown: () =>
      Promise.resolve(
        taken.map(({ title = null, body = null, badge = null, collapseId, tag, data, _contentAvailable }): Shown => {
          if (collapseId !== tag) throw new Error('iOS and Android would collapse differently');
          return { title, body, badge, collapse: tag, data, silent: _contentAvailable === true && body === null };
        }),
      ),
    close: () => provider.close(),
  };
}
