import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import type { ExplanationView } from './dto/decision.view.js';
import { ExplainService } from './explain.service.js';
import { InboxService } from './inbox.service.js';

/** What other modules ask of notifications. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly inbox: InboxService,
    private readonly explanations: ExplainService,
  ) {}

  /** Tells a user of something about the safety of the account; `cause` makes a repeat one row. */
  async warn(userId: string, cause: string, data: Record<string, unknown>): Promise<void> {
    await this.inbox.add([userId], { kind: 'security', dedupeKey: `security:${cause}`, actorId: null, data });
  }

  /** Why a user's devices rang for a message, or did not. @throws forbidden, not_found */
  explain(actor: Actor, messageId: string, userId: string): Promise<ExplanationView> {
    return this.explanations.explainFor(actor, messageId, userId);
  }
}
