import { Authenticated } from '../../platform/auth/auth.decorator.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Live } from '../../platform/events/event-handlers.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import { Rooms } from '../../platform/realtime/rooms.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import { CallProgressService } from './call-progress.service.js';
import { CallSignalsService } from './call-signals.service.js';
import { CallsService } from './calls.service.js';
import {
  type CallCommand,
  callCommand,
  callSignal,
  type CallSignalInput,
  type StartCall,
  startCall,
} from './dto/call.dto.js';
import {
  CallHint,
  type CallHintPayload,
  CallSignal,
  CallSignalDelivered,
  type CallSignalDeliveredPayload,
  type CallSignalPayload,
} from './messages.events.js';

/** Calls by socket, and what participants' devices are told beside the change of the message. */
@Gateway()
@Authenticated()
export class CallsGateway {
  constructor(
    private readonly calls: CallsService,
    private readonly progress: CallProgressService,
    private readonly signals: CallSignalsService,
    private readonly rooms: Rooms,
    private readonly sockets: Sockets,
  ) {}

  @Command('call.start', startCall)
  async start({ actor }: SocketClient, input: StartCall) {
    return (await this.calls.start(actor, input)).call;
  }

  @Command('call.accept', callCommand)
  accept({ actor }: SocketClient, { callId }: CallCommand) {
    return this.progress.accept(actor, callId);
  }

  @Command('call.decline', callCommand)
  decline({ actor }: SocketClient, { callId }: CallCommand) {
    return this.progress.decline(actor, callId);
  }

  @Command('call.end', callCommand)
  end({ actor }: SocketClient, { callId }: CallCommand) {
    return this.progress.end(actor, callId);
  }

  @Command('call.signal', callSignal)
  signal({ actor }: SocketClient, input: CallSignalInput) {
    return this.progress.signal(actor, input);
  }

  @Live(CallHint)
  onHint({ payload }: DeliveredEvent): void {
    const { to, hint } = payload as CallHintPayload;
    for (const userId of to) this.rooms.toUser(userId, 'call', hint);
  }

  @Live(CallSignal)
  onSignal({ payload }: DeliveredEvent): void {
    const { id, callId, from, to, data } = payload as CallSignalPayload;
    const clients = [...this.sockets.of(to.userId)].filter(
      ({ deviceId }) => to.deviceId === undefined || to.deviceId === deviceId,
    );
    for (const { socket } of clients) socket.volatile.emit('call.signal', { callId, from, data });
    this.signals.passedOn(id, clients.length);
  }

  @Live(CallSignalDelivered)
  onSignalDelivered({ key, payload }: DeliveredEvent): void {
    this.signals.count(key, payload as CallSignalDeliveredPayload);
  }
}
