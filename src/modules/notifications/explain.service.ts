import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { DelayedWork } from '../../platform/queue/delayed-work.js';
import { AudienceService } from './audience.service.js';
import { DeedsService } from './deeds.service.js';
import * as decisions from './decisions.repository.js';
import { listDevices } from './devices.repository.js';
import type { ReplayDecisions } from './dto/decision.dto.js';
import { type ExplanationView, toDecisionView } from './dto/decision.view.js';
import { pushWork } from './push-work.js';

const REPLAYED_AT_ONCE = 10_000;

/** Why a device rang, or did not. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly audience: AudienceService,
    private readonly deeds: DeedsService,
  ) {}

  /** @throws not_found for messages of conversations the actor is not in and was never told of */
  async explainOwn(actor: Actor, messageId: string, deviceId?: string): Promise<ExplanationView> {
    const explanation = await this.explain(messageId, actor.userId, deviceId ?? null);
    if (explanation.items.length === 0 && explanation.verdict.reason === 'not_member') throw notFound();
    return explanation;
  }

  /** @throws forbidden, not_found */
  async explainFor(actor: Actor, messageId: string, userId: string): Promise<ExplanationView> {
    requirePermission(actor, 'notifications.explain');
    return this.explain(messageId, userId, null);
  }

  /** Takes failed decisions again, from the beginning; answers how many. @throws forbidden */
  async replay(actor: Actor, { since, reason }: ReplayDecisions, trace: RequestTrace): Promise<{ jobs: number }> {
    requirePermission(actor, 'queues.replay');
    const jobs = await this.database.tx(async (tx) => {
      const reopened = await decisions.reopenFailed(tx, since, reason ?? null, REPLAYED_AT_ONCE);
      await this.work.add(pushWork(reopened.map((key) => ({ ...key, delayMs: 0 }))), tx);
      const deed = { action: 'notifications.replay', permission: 'queues.replay', targetType: 'notifications' };
      const after = { since: since.toISOString(), reason: reason ?? null, jobs: reopened.length };
      await this.deeds.record(tx, actor, { ...deed, targetId: null, after }, trace);
      return reopened.length;
    });
    return { jobs };
  }

  private async explain(messageId: string, userId: string, deviceId: string | null): Promise<ExplanationView> {
    const told = await this.audience.about(messageId);
    if (!told) throw notFound();
    const rows = await decisions.listDecisions(this.database, messageId, userId, deviceId);
    const rang = rows.find(({ decision }) => decision !== 'suppressed' && decision !== 'failed');
    const about = { messageId, userId, items: rows.map(toDecisionView) };
    const [first] = rows;
    if (first) return { ...about, verdict: { notify: rang !== undefined, reason: (rang ?? first).reason } };
    // Nothing was decided: no device at the time, not yet, or no message that rings.
    const reason = await this.audience.suppressedFor(told, userId);
    if (reason !== undefined) return { ...about, verdict: { notify: false, reason } };
    const devices = await listDevices(this.database, [userId]);
    return {
      ...about,
      verdict: devices.length === 0 ? { notify: false, reason: 'no_device' } : { notify: true, reason: 'ok' },
    };
  }
}
