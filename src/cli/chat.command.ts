import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Parley, type ParleyError } from '@parley/client';
import { newId, newSecret } from '../platform/clock/clock.js';
import { ChatRoom } from './chat-room.js';
import type { CliCommand, Invocation } from './command-line.js';

const FAILED = 1;

export const chat: CliCommand = {
  name: 'chat',
  summary:
    'Talk in this terminal. Without --identifier a throwaway account is made, and erased at the end. With --json each thing that happens is one line.',
  usage: '[--url <installation>] [--with <who>]',
  options: {
    url: { type: 'string', description: 'the installation; default http://localhost:3000' },
    identifier: {
      type: 'string',
      description: 'e-mail or phone of an account; the password is asked for, or PARLEY_PASSWORD',
    },
    name: { type: 'string', description: 'how the throwaway account is called; default your user name' },
    with: { type: 'string', description: 'a handle, name or id: opens a conversation with that person' },
  },
  examples: ['parley chat', 'parley chat --name Ada', 'parley chat --identifier ada@example.com --with ben'],
  run: async (invocation) => {
    const { url = 'http://localhost:3000' } = invocation.flags;
    const password = newSecret(16);
    const isGuest = typeof invocation.flags['identifier'] !== 'string';
    let me: Parley | undefined;
    try {
      me = await signIn(String(url), password, invocation);
      const { displayName, handle } = await me.api.me();
      const room = new ChatRoom(me, invocation, displayName);
      await me.connect();
      room.say(
        'signed-in',
        `You are ${displayName}${handle ? ` (@${handle})` : ''}, ${me.userId}. /help lists the commands.`,
      );
      const { with: person } = invocation.flags;
      if (typeof person === 'string') await room.obey(`/with ${person}`);
      await converse(room);
      return 0;
    } catch (error) {
      invocation.note(`parley chat: ${explain(error as ParleyError, String(url))}`);
      return FAILED;
    } finally {
      if (me && isGuest)
        await me.rest
          .request('DELETE', '/users/me', { body: { password, erase: true }, tries: 1 })
          .catch(() => undefined);
      me?.close();
    }
  },
};

async function signIn(url: string, password: string, { flags }: Invocation): Promise<Parley> {
  const { identifier, name } = flags;
  if (typeof identifier === 'string')
    return Parley.login(url, { identifier, password: process.env['PARLEY_PASSWORD'] ?? (await askPassword()) });
  const displayName = typeof name === 'string' ? name : userInfo().username;
  return Parley.register(url, { identifier: `parley-chat-${newId()}@example.com`, password, displayName });
}

/** Reads a line without showing it. */
async function askPassword(): Promise<string> {
  process.stderr.write('Password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: process.stdin.isTTY });
  try {
    return await new Promise<string>((resolve) => terminal.once('line', resolve));
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/** Every line typed is a message or a command, until the end of the input or /quit. */
async function converse(room: ChatRoom): Promise<void> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdin.isTTY ? process.stderr : undefined,
    prompt: '> ',
  });
  room.onPrint(
    () => process.stdin.isTTY && process.stderr.write('\r\u001B[K'),
    () => process.stdin.isTTY && terminal.prompt(true),
  );
  terminal.on('SIGINT', () => terminal.close());
  if (process.stdin.isTTY) terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() === '/quit') break;
    await room.obey(line);
    if (process.stdin.isTTY) terminal.prompt();
  }
  terminal.close();
}

function explain(error: ParleyError, url: string): string {
  if (error.code === 'offline') return `nobody answers at ${url}. Is Parley running? npm start`;
  if (error.code === 'registration_closed') return 'registration is closed here: name an account with --identifier';
  return error.message;
}
