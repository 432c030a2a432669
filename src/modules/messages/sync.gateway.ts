import { Authenticated } from '../../platform/auth/auth.decorator.js';
import { Command, Gateway } from '../../platform/realtime/gateway.decorator.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import {
  type ChangesRequest,
  changesRequest,
  type SyncRequest,
  syncRequest,
  type UserChangesRequest,
  userChangesRequest,
} from './dto/sync.dto.js';
import { SyncService } from './sync.service.js';

@Gateway()
@Authenticated()
export class SyncGateway {
  constructor(private readonly synchronisation: SyncService) {}

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
}
