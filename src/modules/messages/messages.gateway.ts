import { Authenticated } from '../../platform/auth/auth.decorator.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import { RoomSequencer } from '../../platform/realtime/room-sequencer.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { UserSequencer } from '../../platform/realtime/user-sequencer.js';
import {
  type DeleteMessage,
  deleteMessage,
  type EditMessage,
  editMessage,
  type SetReaction,
  setReaction,
} from './dto/change-message.dto.js';
import type { MessageView } from './dto/message.view.js';
import type { ScheduledView } from './dto/scheduled.view.js';
import { type SendMessage, sendMessage } from './dto/send-message.dto.js';
import type { ThreadView } from './dto/thread.view.js';
import { MessageEditService } from './message-edit.service.js';
import { messageChange, sentChange, threadChange } from './message-feed.service.js';
import {
  CallUpdated,
  MessageCreated,
  MessageDeleted,
  MessageUpdated,
  ReactionChanged,
  ScheduledChanged,
  ThreadChanged,
} from './messages.events.js';
import { MessagesService, type SendResult } from './messages.service.js';
import { ReactionsService } from './reactions.service.js';

/** Messages by socket, in; and everything that happens to them, out to the rooms. */
@Gateway()
@Authenticated()
export class MessagesGateway {
  /** Where the sends under way come from, by clientId. */
  private readonly sending = new Map<string, string>();

  constructor(
    private readonly messages: MessagesService,
    private readonly edits: MessageEditService,
    private readonly reactions: ReactionsService,
    private readonly rooms: RoomSequencer,
    private readonly users: UserSequencer,
    private readonly limiter: RateLimiter,
  ) {}

  @Command('message.send', sendMessage)
  async send({ actor, socket }: SocketClient, input: SendMessage): Promise<SendResult> {
    await this.limiter.consume('message.send', actor.userId, { route: 'message.send', userId: actor.userId });
    this.sending.set(input.clientId, socket.id);
    try {
      return await this.messages.send(actor, input);
    } finally {
      this.sending.delete(input.clientId);
    }
  }

  @Command('message.edit', editMessage)
  edit({ actor }: SocketClient, input: EditMessage) {
    return this.edits.edit(actor, input);
  }

  @Command('message.delete', deleteMessage)
  delete({ actor }: SocketClient, input: DeleteMessage) {
    return this.edits.delete(actor, input);
  }

  @Command('reaction.set', setReaction)
  react({ actor }: SocketClient, input: SetReaction) {
    return this.reactions.set(actor, input);
  }

  @Live(MessageCreated)
  onCreated({ key, view }: DeliveredEvent): void {
    const v = view as MessageView | undefined;
    if (v) this.rooms.apply(key, [sentChange(v, this.sending.get(v.clientId ?? ''))]);
  }
  @Live(MessageUpdated)
  onUpdated(event: DeliveredEvent): void {
    this.tell(event);
  }
  @Live(MessageDeleted)
  onDeleted(event: DeliveredEvent): void {
    this.tell(event);
  }
  @Live(ReactionChanged)
  onReaction(event: DeliveredEvent): void {
    this.tell(event);
  }
  @Live(CallUpdated)
  onCall(event: DeliveredEvent): void {
    this.tell(event);
  }
  @Live(ThreadChanged)
  onThread({ key, view }: DeliveredEvent): void {
    if (view) this.rooms.apply(key, [threadChange(view as ThreadView)]);
  }
  @Live(ScheduledChanged)
  onScheduled({ key, view }: DeliveredEvent): void {
    const v = view as ScheduledView | undefined;
    if (v) this.users.apply(key, [{ rev: v.rev, t: 'scheduled', v }]);
  }

  /** Without the view the position alone makes the room read the row. */
  private tell({ key, view }: DeliveredEvent): void {
    if (view) this.rooms.apply(key, [messageChange(view as MessageView)]);
  }
}
