import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, DurableBatch, Live } from '../../platform/events/event-handlers.js';
import { MemberAdded, type ReceiptHint, ReceiptsMoved } from '../conversations/conversations.events.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { CallUpdated, MessageCreated } from '../messages/messages.events.js';
import { MessagesService } from '../messages/messages.service.js';
import { AccessAlarmed, ContactAdded, UserErased } from '../users/users.events.js';
import { UsersService } from '../users/users.service.js';
import { ClearingService } from './clearing.service.js';
import { eraseDevices } from './devices.repository.js';
import { ExpansionService } from './expansion.service.js';
import { eraseNotices } from './inbox.repository.js';
import { InboxService } from './inbox.service.js';
import { NotificationsService } from './notifications.service.js';

/** What happens elsewhere and concerns somebody. Every handler may see an event twice. */
@Injectable()
export class NotificationsConsumer {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly expansion: ExpansionService,
    private readonly inbox: InboxService,
    private readonly notifications: NotificationsService,
    private readonly clearing: ClearingService,
  ) {}

  @DurableBatch(MessageCreated)
  onMessages(events: readonly DeliveredEvent[]): Promise<void> {
    return this.expansion.take(events.map(({ payload }) => String(payload['id'])));
  }

  /** Best effort, and only where the reading happened: a notification that stays on a screen is no harm. */
  @Live(ReceiptsMoved)
  async onRead({ payload, view }: DeliveredEvent): Promise<void> {
    if (view === undefined) return;
    const marks = (payload['hints'] as ReceiptHint[]).flatMap(({ c: conversationId, room, own }) =>
      [...room, ...own].map(([userId, , readSeq]) => ({ userId, conversationId, readSeq })),
    );
    if (marks.length > 0) await this.clearing.read(marks);
  }

  @Durable(MemberAdded)
  async onMemberAdded({ key: conversationId, payload }: DeliveredEvent): Promise<void> {
    const { actorId, userIds, entrance, rev } = payload as {
      actorId: string;
      userIds: string[];
      entrance: string;
      rev: number;
    };
    if (entrance !== 'added' && entrance !== 'created') return;
    // Nobody is "added" to a direct conversation: its first message tells.
    if ((await this.conversations.typeOf(conversationId)) === 'direct') return;
    const added = userIds.filter((id) => id !== actorId);
    const dedupeKey = `added:${conversationId}:${rev}`;
    await this.inbox.add(added, { kind: 'added', dedupeKey, actorId, conversationId });
  }

  @Durable(CallUpdated)
  async onCallUpdated({ payload }: DeliveredEvent): Promise<void> {
    if (payload['state'] !== 'missed') return;
    const message = await this.messages.find(String(payload['id']));
    if (!message?.call) return;
    const { id: callId, initiatorId, conversationId, seq, participants, media } = message.call;
    const missed = participants.map(({ userId }) => userId).filter((id) => id !== initiatorId);
    await this.inbox.add(missed, {
      kind: 'missed_call',
      dedupeKey: `call:${callId}`,
      actorId: initiatorId,
      conversationId,
      seq,
      data: { callId, media },
    });
  }

  @Durable(ContactAdded)
  async onContactAdded({ key: userId, payload }: DeliveredEvent): Promise<void> {
    const ownerId = String(payload['ownerId']);
    if (await this.users.areBlocked(userId, ownerId)) return;
    await this.inbox.add([userId], { kind: 'new_follower', dedupeKey: `follower:${ownerId}`, actorId: ownerId });
  }

  @Durable(AccessAlarmed)
  async onAccessAlarmed({ id, key: userId, payload: { event, sessionId } }: DeliveredEvent): Promise<void> {
    await this.notifications.warn(userId, id, { event, sessionId });
  }

  @Durable(UserErased)
  async onUserErased({ key: userId }: DeliveredEvent): Promise<void> {
    await eraseDevices(this.database, userId);
    await eraseNotices(this.database, userId);
  }
}
