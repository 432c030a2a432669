import type { Conversation, Message, Parley } from '@parley/client';
import type { Invocation } from './command-line.js';
import { paintFor } from './style.js';

const SHOWN_BEFORE = 10;
const help = [
  '/with <handle, name or id>  talk to somebody',
  '/list                       your conversations',
  '/open <number>              one of them',
  '/older                      what was said before',
  '/quit                       leave',
  'Anything else is sent.',
].join('\n');

/** The conversation on the screen: prints what happens in all of them, sends what is typed. */
export class ChatRoom {
  private current: Conversation | undefined;
  private readonly names = new Map<string, string>();
  private readonly paint = paintFor(process.stdout);
  private before: () => void = () => undefined;
  private after: () => void = () => undefined;

  constructor(
    private readonly me: Parley,
    private readonly invocation: Invocation,
    ownName: string,
  ) {
    this.names.set(me.userId, ownName);
    me.on('message', ({ conversation, message }) => {
      if (message.senderId !== me.userId) void this.heard(conversation, message);
    });
    me.on('status', ({ status }) => this.say('status', this.paint.dim(status)));
    me.on('gap', ({ id }) =>
      this.say('gap', this.paint.dim('something is missing, asking for it'), { conversation: id }),
    );
  }

  /** What to do around each line: to take a prompt away and bring it back. */
  onPrint(before: () => void, after: () => void): void {
    [this.before, this.after] = [before, after];
  }

  /** One thing that happened: a line for people, an object for programs. */
  say(event: string, text: string, fields: object = {}): void {
    this.before();
    process.stdout.write(this.invocation.json ? `${JSON.stringify({ event, ...fields, text })}\n` : `${text}\n`);
    this.after();
  }

  /** A typed line. Refusals are printed, not thrown. */
  async obey(line: string): Promise<void> {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    try {
      if (word === '') return;
      if (word === '/help') this.say('help', help);
      else if (word === '/list') await this.list();
      else if (word === '/open') await this.open(this.me.conversations[Number(rest[0]) - 1]);
      else if (word === '/with') await this.open(await this.find(rest.join(' ')));
      else if (word === '/older') await this.older();
      else if (word.startsWith('/')) this.say('help', `There is no ${word}.\n${help}`);
      else await this.send(line);
    } catch (error) {
      this.say('error', this.paint.red(error instanceof Error ? error.message : String(error)));
    }
  }

  private async send(body: string): Promise<void> {
    if (!this.current) return this.say('error', 'Nobody is listening yet: /with somebody, or /list and /open.');
    const { seq } = await this.current.send(body);
    if (this.invocation.json) this.say('sent', body, { conversation: this.current.id, seq });
  }

  private async find(text: string): Promise<Conversation | undefined> {
    if (/^[0-9a-f-]{36}$/.test(text)) return this.me.direct(text);
    const { items } = await this.me.api.findUsers(text.replace(/^@/, ''));
    const [found] = items.filter(({ id }) => id !== this.me.userId);
    if (found) return this.me.direct(found.id);
    this.say('error', `Nobody is called ${text}. Who is not to be found can be reached by id.`);
    return undefined;
  }

  private async open(conversation: Conversation | undefined): Promise<void> {
    if (!conversation) return;
    this.current = conversation;
    this.say('opened', this.paint.bold(`— ${await this.titleOf(conversation)} —`), { conversation: conversation.id });
    for (const message of conversation.view.timeline.slice(-SHOWN_BEFORE))
      this.say('message', await this.lineOf(message.senderId, message.body), {
        conversation: conversation.id,
        seq: message.seq,
      });
    conversation.markRead();
  }

  private async older(): Promise<void> {
    const { current } = this;
    if (!current) return;
    const shown = current.view.timeline.length;
    await current.loadOlder();
    for (const message of current.view.timeline.slice(0, -shown || undefined))
      this.say('message', await this.lineOf(message.senderId, message.body), {
        conversation: current.id,
        seq: message.seq,
      });
  }

  private async list(): Promise<void> {
    if (this.me.conversations.length === 0) this.say('list', 'No conversations yet: /with somebody.');
    for (const [i, conversation] of this.me.conversations.entries()) {
      const unread = conversation.view.me.unread;
      this.say(
        'list',
        `${i + 1}. ${await this.titleOf(conversation)}${unread > 0 ? this.paint.yellow(` (${unread} new)`) : ''}`,
        {
          conversation: conversation.id,
          unread,
        },
      );
    }
  }

  private async heard(conversation: Conversation, message: Message): Promise<void> {
    const isHere = conversation.id === this.current?.id;
    if (!this.current) this.current = conversation;
    const where = isHere ? '' : this.paint.dim(`[${await this.titleOf(conversation)}] `);
    this.say('message', where + (await this.lineOf(message.senderId, message.body)), {
      conversation: conversation.id,
      seq: message.seq,
      senderId: message.senderId,
      body: message.body,
    });
    if (isHere) conversation.markRead();
  }

  private async lineOf(senderId: string | null, body: string | null): Promise<string> {
    const name = senderId === null ? 'Parley' : await this.nameOf(senderId);
    const colour = senderId === this.me.userId ? this.paint.green : this.paint.cyan;
    return `${colour(name)}  ${body ?? this.paint.dim('(no text)')}`;
  }

  private async titleOf({ view }: Conversation): Promise<string> {
    if (view.conversation.title) return view.conversation.title;
    const others = view.members.filter(({ userId }) => userId !== this.me.userId);
    return (await Promise.all(others.map(({ userId }) => this.nameOf(userId)))).join(', ') || view.id;
  }

  private async nameOf(userId: string): Promise<string> {
    const known = this.names.get(userId);
    if (known !== undefined) return known;
    const name = await this.me.api.user(userId).then(
      ({ displayName }) => displayName ?? userId,
      () => userId,
    );
    this.names.set(userId, name);
    return name;
  }
}
