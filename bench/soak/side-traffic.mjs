// What goes on beside the chats: REST calls, and people who come, look around and go.
import { randomUUID } from 'node:crypto';
import { SocketIoClient } from '../load/client.mjs';

const VISIT_LIMIT_MS = 30_000;

/** Does `work` so many times a second, whatever the answers take; answers a function that ends it. */
function paced(perSecond, work) {
  const startedAt = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; done < due; done++) work(done);
  }, 10);
  return () => clearInterval(timer);
}

/** Counts of answers by status, and of visits, in `counts`. `visitors` are users, who come with one device each. */
export function startSideTraffic(subject, { person, conversation, visitors }, { calls, visits }, counts) {
  const path = `/api/v1/conversations/${conversation}`;
  const requests = [
    ['POST', `${path}/messages`, () => ({ clientId: randomUUID(), body: 'Hello' })],
    ['GET', `${path}/messages?limit=50`],
    ['PUT', `${path}/receipts`, (turn) => ({ read: turn })],
    ['GET', '/api/v1/conversations'],
    ['GET', '/api/v1/search/messages?q=hello'],
    ['GET', `${path}/messages/${randomUUID()}`],
    ['POST', '/api/v1/sync', () => ({})],
    ['GET', '/api/v1/users/me', undefined, 'nobody'],
  ];
  const count = (key) => (counts[key] = (counts[key] ?? 0) + 1);
  const ends = [
    paced(calls, (turn) => {
      const [method, to, body, token = person.token] = requests[turn % requests.length];
      subject.rest(token, method, to, body?.(Math.floor(turn / requests.length) + 1)).then(
        ({ status }) => count(status),
        () => count('no answer'),
      );
    }),
    paced(visits, (turn) => {
      visit(subject, visitors[turn % visitors.length], conversation).then(
        () => count('visits'),
        () => count('visits refused'),
      );
    }),
  ];
  return () => ends.forEach((end) => end());
}

/** A client opens, asks for what it missed, types, and is gone without a word. */
async function visit({ port }, { token, id }, conversation) {
  const client = await new SocketIoClient(token, id).open(port);
  const answered = new Promise((resolve) => (client.onAck = (id) => id === 2 && resolve()));
  client.write('42/v1,1["sync",{}]');
  client.write(`42/v1,2["typing",{"c":"${conversation}","on":true}]`);
  await Promise.race([answered, new Promise((_, reject) => setTimeout(reject, VISIT_LIMIT_MS).unref())]);
  client.close();
}
