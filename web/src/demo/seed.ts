import { type AuthResult, type Message, Parley, type SendFields } from '@parley/client';
import { draw } from './drawing.js';
import { type Line, type Scene, scenes } from './story.js';

/** Writes the story of a new world, as its people would have: by the same calls, through the same client. */
export async function tellStory(people: readonly AuthResult[]): Promise<void> {
  const clients = people.map(({ tokens }) => Parley.resume(location.origin, tokens));
  try {
    await Promise.all(scenes.map((scene) => new Telling(clients, people, scene).tell()));
  } finally {
    for (const client of clients) client.close();
  }
}

/** One conversation, line by line. No socket is opened: everything here is REST. */
class Telling {
  private readonly named = new Map<string, Message>();
  private readonly threads = new Map<string, string>();
  private readonly ages: [seq: number, seconds: number][] = [];
  /** Drawn and uploaded while the first lines are said: on a slow network each round trip counts. */
  private readonly pictures: ReadonlyMap<Line, Promise<string>>;

  constructor(
    private readonly clients: readonly Parley[],
    private readonly people: readonly AuthResult[],
    private readonly scene: Scene,
  ) {
    this.pictures = new Map(
      scene.lines.flatMap((line) => (line.picture ? [[line, this.upload(line.by, line.picture)] as const] : [])),
    );
  }

  async tell(): Promise<void> {
    const { title, by, with: others, lines } = this.scene;
    const memberIds = others.map((i) => this.idOf(i));
    const { id, head } = await this.client(by).api.createConversation(
      title === null ? { type: 'direct', memberIds } : { type: 'group', title, memberIds },
    );
    const begun = Math.max(...lines.map(({ ago }) => ago)) + 2;
    for (let seq = 1; seq <= head.seq; seq++) this.ages.push([seq, begun * 60]);
    const sent: [Line, Message][] = [];
    for (const line of lines) sent.push([line, await this.say(id, line)]);
    await Promise.all([
      ...sent.map(([line, message]) => this.after(id, line, message)),
      // In production nothing can be made to look old.
      this.client(by)
        .rest.put('/demo/history', { conversationId: id, ages: this.ages })
        .catch(() => undefined),
      ...this.read(id, sent.at(-1)?.[1].seq ?? 0),
    ]);
  }

  private async say(c: string, line: Line): Promise<Message> {
    const client = this.client(line.by);
    const fields: SendFields = { clientId: crypto.randomUUID(), body: line.text, markRead: false };
    if (line.replyTo !== undefined) fields.replyToSeq = this.line(line.replyTo).seq;
    if (line.under !== undefined) fields.threadId = await this.threadUnder(c, line.under, line.by);
    if (line.mentions) fields.mentions = line.mentions.map((i) => this.idOf(i));
    const picture = await this.pictures.get(line);
    if (picture !== undefined) fields.attachmentIds = [picture];
    const { message } = await client.rest.post<{ message: Message }>(`/conversations/${c}/messages`, fields);
    this.ages.push([message.seq, line.ago * 60]);
    if (line.name !== undefined) this.named.set(line.name, message);
    return message;
  }

  private async upload(by: number, picture: NonNullable<Line['picture']>): Promise<string> {
    const file = new File([await draw(picture)], `${picture}.jpg`, { type: 'image/jpeg' });
    return (await this.client(by).api.upload(file)).id;
  }

  private async after(c: string, { by, reactions, edited }: Line, { seq }: Message): Promise<void> {
    if (edited !== undefined) await this.client(by).rest.patch(`/conversations/${c}/messages/${seq}`, { body: edited });
    for (const [emoji, ...who] of reactions ?? [])
      for (const i of who)
        await this.client(i).rest.put(`/conversations/${c}/messages/${seq}/reactions/${encodeURIComponent(emoji)}`);
  }

  private async threadUnder(c: string, name: string, by: number): Promise<string> {
    const id = this.threads.get(name) ?? (await this.client(by).api.thread(c, this.line(name).seq)).id;
    this.threads.set(name, id);
    return id;
  }

  private read(c: string, last: number): Promise<unknown>[] {
    const { by, with: others, unreadFor = {} } = this.scene;
    return [by, ...others].map((i) => {
      const from = unreadFor[i];
      const read = from === undefined ? last : this.line(from).seq - 1;
      return this.client(i).rest.put(`/conversations/${c}/receipts`, { delivered: last, read });
    });
  }

  private client(i: number): Parley {
    const client = this.clients[i];
    if (!client) throw new Error(`nobody has number ${i}`);
    return client;
  }
  private idOf(i: number): string {
    return this.people[i]?.user.id ?? '';
  }
  private line(name: string): Message {
    const message = this.named.get(name);
    if (!message) throw new Error(`no line is named ${name}`);
    return message;
  }
}
