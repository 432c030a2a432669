// A bot: answers every "ping", also those that came while it was away. Run it with
//   PARLEY_URL=http://localhost:3000 PARLEY_USER=bot@example.com PARLEY_PASSWORD=... node bot.ts
import { Parley } from '@parley/client';
import { fileStore } from '@parley/client/node';

const { PARLEY_URL = 'http://localhost:3000', PARLEY_USER = '', PARLEY_PASSWORD = '' } = process.env;

const bot = await Parley.login(
  PARLEY_URL,
  { identifier: PARLEY_USER, password: PARLEY_PASSWORD, device: { deviceId: 'bot', platform: 'bot' } },
  { outbox: fileStore('./outbox') },
);

bot.on('message', ({ conversation, message }) => {
  if (message.senderId === bot.userId || message.body?.trim().toLowerCase() !== 'ping') return;
  conversation.markRead(message.seq);
  conversation
    .send({ body: 'pong', replyToSeq: message.seq })
    .then(() => console.log(`answered ${message.id}`))
    .catch((error: unknown) => console.error(`could not answer ${message.id}:`, error));
});
bot.on('status', ({ status }) => console.log(status));
bot.on('signed-out', () => process.exit(1));

await bot.connect();
process.once('SIGTERM', () => bot.close());
