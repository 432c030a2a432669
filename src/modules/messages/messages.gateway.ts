import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import { RoomSequencer } from '../../platform/realtime/room-sequencer.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import type { MessageView } from './dto/message.view.js';
import { type SendMessage, sendMessage } from './dto/send-message.dto.js';
import {
  type ChangesRequest,
  changesRequest,
  type SyncRequest,
  syncRequest,
  type UserChangesRequest,
  userChangesRequest,
} from './dto/sync.dto.js';
import type { ThreadView } from './dto/thread.view.js';
import { messageChange, threadChange } from './message-feed.service.js';
import { MessageCreated, MessageDeleted, MessageUpdated, CallUpdated, ReactionChanged, ThreadChanged } from './messages.events.js';
import { MessagesService, type SendResult } from './messages.service.js';
import { SyncService } from './sync.service.js';

/** Commands of REST's twin, and this module's own events out to the rooms. */
@Gateway()
export class MessagesGateway {
  constructor(
    private readonly messages: MessagesService,
    private readonly synchronisation: SyncService,
    private readonly rooms: RoomSequencer,
    private readonly limiter: RateLimiter,
  ) {}

  @Command('message.send', sendMessage)
  async send({ actor }: SocketClient, input: SendMessage): Promise<SendResult> {
    await this.limiter.consume('message.send', actor.userId, { route: 'message.send', userId: actor.userId });
    return this.messages.send(actor, input);
  }

  @Command('sync', syncRequest)
  sync({ actor }: SocketClient, input: SyncRequest) {
    return this.synchronisation.sync(actor, input);
  }

  @Command('changes', changesRequest)
  changes({ actor }: SocketClient, input: ChangesRequest) {
    return this.synchronisation.changes(actor, input);
  }

  @Command('user.changes', userChangesRequest)
  userChanges({ actor }: SocketClient, input: UserChangesRequest) {
    return this.synchronisation.userChanges(actor, input);
  }

  @Live(MessageCreated)
  onCreated(event: DeliveredEvent): void {
    this.tell(event);
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

  /** Without the view (the event came from elsewhere) the position alone makes the room read the row. */
  private tell({ key, view }: DeliveredEvent): void {
    if (view) this.rooms.apply(key, [messageChange(view as MessageView)]);
  }
}
