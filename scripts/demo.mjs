#!/usr/bin/env node
// Two people register, open sockets and talk, on the running server; prints what happened. Needs `npm start` in another
// terminal. PARLEY_URL names another server.
import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';

const server = process.env.PARLEY_URL ?? `http://localhost:${process.env.PORT ?? 3000}`;
const api = `${server}/api/v1`;

async function call(method, path, { token, body } = {}) {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = response.status === 204 ? null : await response.json();
  return { status: response.status, answer };
}

async function expectStatus(wanted, ...request) {
  const { status, answer } = await call(...request);
  if (status !== wanted) throw new Error(`${request[0]} ${request[1]} answered ${status}: ${JSON.stringify(answer)}`);
  return answer;
}

function say(text) {
  console.log(`✓ ${text}`);
}

async function register(displayName) {
  const identifier = `${displayName.toLowerCase()}-${randomUUID().slice(0, 8)}@example.com`;
  const { user, tokens } = await expectStatus(201, 'POST', '/auth/register', {
    body: { identifier, password: `password-${randomUUID()}`, displayName },
  });
  return { id: user.id, name: displayName, token: tokens.accessToken, deviceId: tokens.deviceId };
}

async function connect({ token, deviceId }) {
  const socket = io(`${server}/v1`, { transports: ['websocket'], auth: { token, deviceId, protocol: 1 } });
  await new Promise((resolve, reject) => {
    socket.once('ready', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

async function main() {
  const alive = await fetch(`${server}/ready`).catch(() => undefined);
  if (alive?.status !== 200) throw new Error(`Nothing is ready at ${server}. Start Parley first: npm start`);

  const [ada, ben, eve] = [await register('Ada'), await register('Ben'), await register('Eve')];
  say('Ada, Ben and Eve registered');

  const conversation = await expectStatus(201, 'POST', '/conversations', {
    token: ada.token,
    body: { type: 'direct', memberIds: [ben.id] },
  });
  say(`Ada opened a conversation with Ben`);

  const [adaSocket, benSocket] = [await connect(ada), await connect(ben)];
  try {
    const received = new Promise((resolve) => {
      benSocket.on('change', (change) => change.t === 'message' && change.v.senderId === ada.id && resolve(change));
    });
    const message = { c: conversation.id, clientId: randomUUID(), body: 'Hello Ben!' };
    const ack = await adaSocket.timeout(10_000).emitWithAck('message.send', message);
    if (!ack.ok) throw new Error(`the send was refused: ${JSON.stringify(ack.error)}`);
    say(`Ada sent "${ack.data.message.body}" as seq ${ack.data.message.seq}`);
    const change = await received;
    say(`Ben received it live: rev ${change.from} -> ${change.rev}, "${change.v.body}"`);

    const again = await adaSocket.timeout(10_000).emitWithAck('message.send', message);
    if (!again.ok || !again.data.deduplicated || again.data.message.id !== ack.data.message.id)
      throw new Error('the repeat was not recognised');
    say('Ada repeated the same clientId and got the original back: nothing is doubled');

    const history = await expectStatus(200, 'GET', `/conversations/${conversation.id}/messages`, { token: ben.token });
    say(`Ben reads the history: ${history.items.length} message`);

    const stranger = await call('GET', `/conversations/${conversation.id}/messages`, { token: eve.token });
    if (stranger.status !== 404) throw new Error(`a stranger got ${stranger.status}`);
    say('Eve, a stranger, gets 404: she may not even know that it exists');
  } finally {
    adaSocket.disconnect();
    benSocket.disconnect();
  }
  console.log('Everything worked.');
}

try {
  await main();
} catch (error) {
  console.error(`✗ ${error.message}`);
  process.exitCode = 1;
}
