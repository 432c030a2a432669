import { Injectable } from '@nestjs/common';
import { MessagesService } from '../messages/messages.service.js';
import { UsersService } from '../users/users.service.js';
import { preview } from './notifications.rules.js';

/** What a push says about one message, whoever gets it. */
export interface PushText {
  /** The sender's name. */
  title: string | null;
  body: string;
}

/** Reads what pushes say, once for all devices that show the same message. */
@Injectable()
export class PushTexts {
  constructor(
    private readonly users: UsersService,
    private readonly messages: MessagesService,
  ) {}

  /** By message id; a message that is gone has no text. */
  async of(messageIds: readonly string[]): Promise<Map<string, PushText>> {
    const found = await Promise.all([...new Set(messageIds)].map((id) => this.messages.find(id)));
    const messages = found.filter((message) => message !== undefined);
    const senders = new Set(messages.flatMap(({ senderId }) => senderId ?? []));
    const cards = new Map((await this.users.findMany([...senders])).map((card) => [card.id, card]));
    return new Map(
      messages.map(({ id, senderId, body, attachments }) => [
        id,
        {
          title: (senderId === null ? undefined : cards.get(senderId)?.displayName) ?? null,
          body: preview(body, attachments.length),
        },
      ]),
    );
  }
}
