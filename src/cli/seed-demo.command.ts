import { Parley, type ParleyError } from '@parley/client';
import type { CliCommand, Invocation } from './command-line.js';
import { confirm, yesIMeanIt } from './confirm.js';
import { conversations, people, type Story } from './demo-story.js';

const USAGE = 2;
const FAILED = 1;
const SHORTEST = 8;

export const seedDemo: CliCommand = {
  name: 'seed demo',
  summary:
    'Put a few people, conversations and messages into a running installation, to look around in. What is there already is left as it is, so it may be run again.',
  options: {
    url: { type: 'string', description: 'the installation; default http://localhost:3000' },
    password: { type: 'string', description: 'with which each of the people signs in; 8 characters or more' },
    ...yesIMeanIt,
  },
  examples: ['parley seed demo --password "look around"'],
  run: async (invocation) => {
    const { flags, note, print } = invocation;
    const { url = 'http://localhost:3000', password } = flags;
    if (typeof url !== 'string' || typeof password !== 'string' || password.length < SHORTEST) {
      note('parley seed demo: --password (8 characters or more) is needed');
      return USAGE;
    }
    // What runs there cannot be asked; only this machine is surely nobody's production.
    const isProduction = process.env['NODE_ENV'] === 'production' || !isHere(url);
    if (isProduction) await confirm(`This makes people who share one password at ${url}.`, flags, { isProduction });
    try {
      const made = await plant(url.replace(/\/+$/, ''), password, note);
      print(
        made,
        () => `${url}: ${made.people.join(', ')}; ${made.conversations} conversations, ${made.messages} messages`,
      );
      return 0;
    } catch (error) {
      const { code, message } = error as Partial<ParleyError>;
      note(
        `parley seed demo: ${code === 'already_exists' ? 'these people are there, with another password' : message}`,
      );
      return FAILED;
    }
  },
};

const isHere = (url: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);

async function plant(url: string, password: string, note: Invocation['note']) {
  const entered = new Map<string, Parley>();
  try {
    for (const { name, displayName } of people) {
      const identifier = `${name}@demo.example`;
      entered.set(name, await enter(url, { identifier, password, displayName }));
      note(`${displayName}: ${identifier}`);
    }
    let messages = 0;
    for (const story of conversations) messages += await tell(story, entered);
    return {
      people: people.map(({ name }) => `${name}@demo.example`),
      conversations: conversations.length,
      messages,
    };
  } finally {
    for (const person of entered.values()) person.close();
  }
}

async function enter(
  url: string,
  input: { identifier: string; password: string; displayName: string },
): Promise<Parley> {
  try {
    return await Parley.login(url, { identifier: input.identifier, password: input.password });
  } catch (error) {
    if ((error as ParleyError).code !== 'invalid_credentials') throw error;
    return Parley.register(url, input);
  }
}

/** Ids of messages are fixed: who sends one again gets the first. */
async function tell({ title, members, messages, id }: Story, entered: ReadonlyMap<string, Parley>): Promise<number> {
  const [first = '', ...others] = members;
  const of = (name: string): Parley => {
    const person = entered.get(name);
    if (!person) throw new Error(`nobody is called ${name}`);
    return person;
  };
  const conversationId = await open(
    of(first),
    title,
    others.map((name) => of(name).userId),
  );
  for (const [i, [name, body]] of messages.entries()) {
    const clientId = `5eed0000-0000-4000-8000-${String(id * 1000 + i).padStart(12, '0')}`;
    await of(name).rest.post(`/conversations/${conversationId}/messages`, { clientId, body });
  }
  return messages.length;
}

async function open({ rest }: Parley, title: string | undefined, memberIds: string[]): Promise<string> {
  if (title === undefined) return (await rest.post<{ id: string }>('/conversations', { type: 'direct', memberIds })).id;
  const { items } = await rest.get<{ items: { id: string; title: string | null }[] }>('/conversations', { limit: 100 });
  const known = items.find((conversation) => conversation.title === title);
  return (known ?? (await rest.post<{ id: string }>('/conversations', { type: 'group', title, memberIds }))).id;
}
