import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { DomainError, validationFailed } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { type Refusal, UsersService } from '../users/users.service.js';
import { ConversationChangeService, type Happening } from './conversation-change.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { limitExceeded } from './conversations.errors.js';
import { ConversationCreated } from './conversations.events.js';
import { ConversationsRepository, type NewConversation } from './conversations.repository.js';
import { defaultSettings, directKey, type Role } from './conversations.rules.js';
import type { CreateConversation } from './dto/conversation.dto.js';
import type { ConversationDetailView } from './dto/conversation.view.js';

export interface Created {
  conversation: ConversationDetailView;
  /** False when the pair had its conversation already. */
  created: boolean;
}

@Injectable()
export class CreationService {
  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsRepository,
    private readonly changes: ConversationChangeService,
    private readonly views: ConversationViewsService,
  ) {}

  /**
   * Makes a conversation with its first members. A pair has one direct conversation: asking again answers it.
   * @throws not_found, blocked, privacy_restricted for a member who cannot be added; limit_exceeded
   */
  async create(actor: Actor, input: CreateConversation): Promise<Created> {
    const others = [...new Set(input.memberIds)].filter((id) => id !== actor.userId);
    return input.type === 'direct' ? this.createDirect(actor, others) : this.createRoom(actor, input, others);
  }

  private async createDirect(actor: Actor, others: readonly string[]): Promise<Created> {
    const [other, ...more] = others;
    if (!other || more.length > 0) {
      throw validationFailed({ path: 'memberIds', code: 'exactly_one', message: 'Exactly one other user' });
    }
    const key = directKey(actor.userId, other);
    const known = await this.conversations.idOfPair(this.database, key);
    if (known) return { conversation: await this.views.detail(actor, known), created: false };
    refuseFirst(await this.users.mayMessage(actor, [other]));
    const members = [member(actor.userId), member(other)];
    const id = await this.insert(actor, { ...blank('direct', actor), directKey: key }, members, []);
    // Undefined: the other one was faster.
    const winner = id ?? (await this.conversations.idOfPair(this.database, key));
    return { conversation: await this.views.detail(actor, winner ?? ''), created: id !== undefined };
  }

  private async createRoom(actor: Actor, input: CreateConversation, others: readonly string[]): Promise<Created> {
    const { type, title = null, description, visibility = 'private', settings } = input;
    const max = type === 'channel' ? this.config.CHANNEL_MAX_MEMBERS : this.config.GROUP_MAX_MEMBERS;
    if (others.length + 1 > max) throw limitExceeded('members', max);
    if (others.length > 0) refuseFirst(await this.users.mayAdd(actor, others));
    const room = { ...blank(type, actor), title, description: description || null, visibility };
    const id = await this.insert(
      actor,
      { ...room, settings: { ...defaultSettings[type], ...settings } },
      [member(actor.userId, 'owner'), ...others.map((userId) => member(userId))],
      [{ type: 'conversation_created', targetIds: [...others], data: { title } }],
    );
    return { conversation: await this.views.detail(actor, id ?? ''), created: true };
  }

  /** One rev for the conversation, one for each member, one for the system message; undefined when the pair has one. */
  private insert(
    actor: Actor,
    row: NewConversation,
    members: readonly Entrant[],
    happenings: readonly Happening[],
  ): Promise<string | undefined> {
    return this.database.tx(async (tx: Tx) => {
      const conversation = await this.conversations.insert(tx, row);
      if (!conversation) return undefined;
      const told = this.changes.toldOf(row.type, happenings);
      const rows = 1 + members.length;
      const before = { seq: 0, ord: 0, rev: 0 };
      const after = { seq: told.length, ord: 0, rev: rows + told.length };
      await this.conversations.insertHead(tx, row.id, after);
      await this.changes.tell(actor, row.id, before, rows, told, tx);
      await this.events.publish(tx, new ConversationCreated(row.id, after.rev, actor.userId, row.type));
      const numbers = { before, after, firstRev: 2 };
      await this.changes.enter(
        actor,
        conversation,
        members,
        { ...numbers, entrance: 'created', invitedBy: actor.userId },
        tx,
      );
      return row.id;
    });
  }
}

interface Entrant {
  userId: string;
  role: Role;
}
const member = (userId: string, role: Role = 'member'): Entrant => ({ userId, role });

const blank = (type: NewConversation['type'], actor: Actor): NewConversation => ({
  id: newId(),
  type,
  directKey: null,
  title: null,
  description: null,
  visibility: 'private',
  settings: defaultSettings[type],
  createdBy: actor.userId,
});

function refuseFirst(refused: ReadonlyMap<string, Refusal>): void {
  for (const [userId, code] of refused) {
    throw new DomainError(code, { errors: [{ path: 'memberIds', code, message: userId }] });
  }
}
