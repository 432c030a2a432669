import { Authenticated } from '../../platform/auth/auth.decorator.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import { Rooms, userRoom } from '../../platform/realtime/rooms.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { type ReceiptHint, ReceiptsMoved } from './conversations.events.js';
import { type ReceiptCommand, receiptCommand } from './dto/receipt.dto.js';
import { ReceiptsService } from './receipts.service.js';

/** Receipts by socket, in and out. Changes need no handler: their events carry a position, which the sequencers follow. */
@Gateway()
@Authenticated()
export class ConversationsGateway {
  constructor(
    private readonly receipts: ReceiptsService,
    private readonly rooms: Rooms,
  ) {}

  @Command('receipt', receiptCommand)
  receipt({ actor, socket }: SocketClient, input: ReceiptCommand) {
    if ('threadId' in input) return this.receipts.readThread(actor, input.threadId, input.read);
    const { c, ...positions } = input;
    return this.receipts.put(actor, c, positions, socket.id);
  }

  @Live(ReceiptsMoved)
  onReceipts({ payload }: DeliveredEvent): void {
    for (const { c, room, except, own } of payload['hints'] as ReceiptHint[]) {
      if (room.length > 0)
        this.rooms.toConversation(
          c,
          'receipts',
          room.map((mark) => [c, ...mark]),
          except.map(userRoom),
        );
      for (const mark of own) this.rooms.toUser(mark[0], 'receipts', [[c, ...mark]]);
    }
  }
}
