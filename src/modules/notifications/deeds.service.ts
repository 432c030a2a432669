import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { type Action, ActorActed } from '../../platform/auth/auth.events.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import type { Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';

/** Tells the audit log what was done by permission, in the transaction of the deed. */
@Injectable()
export class DeedsService {
  constructor(
    private readonly events: EventsService,
    private readonly box: SecretBox,
  ) {}

  async record(tx: Tx, actor: Actor, deed: Omit<Action, 'requestId' | 'ipHash'>, trace: RequestTrace): Promise<void> {
    const ipHash = this.box.sign('ip', trace.ip).slice(0, 22);
    const by = actor.system === null ? actor.userId : null;
    await this.events.publish(tx, new ActorActed(by, { ...deed, requestId: trace.requestId, ipHash }));
  }
}
