import { z } from 'zod';
import { Authenticated } from '../../platform/auth/auth.decorator.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { EventsService } from '../../platform/events/events.service.js';
import { uuid } from '../../platform/http/text.js';
import { RateLimiter } from '../../platform/ratelimit/rate-limiter.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import { TYPING_TTL_MS } from '../../platform/realtime/protocol.js';
import { conversationRoom, Rooms, userRoom } from '../../platform/realtime/rooms.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { Typing, type TypingPayload } from './messages.events.js';

const typing = z.strictObject({ c: uuid, on: z.boolean(), threadId: uuid.optional() });
const MAX_MEMBERS = 100;

/** Who is writing. Nothing is stored; what is refused or lost is not worth an answer. */
@Gateway()
@Authenticated()
export class TypingGateway {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly events: EventsService,
    private readonly limiter: RateLimiter,
    private readonly rooms: Rooms,
  ) {}

  @Command('typing', typing)
  async type({ actor, socket }: SocketClient, { c, on, threadId }: z.output<typeof typing>): Promise<void> {
    // Being in the room is being a member, as far as a hint needs to know.
    if (!socket.rooms.has(conversationRoom(c))) return;
    if (on && (await this.limiter.check('typing', `${actor.userId} ${c}`)).exceeded) return;
    if ((await this.conversations.memberCount(c)) > MAX_MEMBERS) return;
    this.events.hint(new Typing(c, actor.userId, threadId ?? null, on ? TYPING_TTL_MS : 0));
  }

  @Live(Typing)
  onTyping({ payload }: DeliveredEvent): void {
    const hint = payload as TypingPayload;
    this.rooms.volatileToConversation(hint.c, 'typing', hint, [userRoom(hint.userId)]);
  }
}
