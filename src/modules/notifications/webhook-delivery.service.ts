import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { jitter } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { postOutgoing } from '../../platform/http/outgoing-post.js';
import { signWebhook } from '../../platform/http/webhook.js';
import { Log } from '../../platform/logging/log.js';
import { Leader, type Term } from '../../platform/queue/leader.js';
import { purgeDecisions } from './decisions.repository.js';
import * as webhooks from './webhooks.repository.js';
import { SEALED_AS } from './webhooks.service.js';

const EVERY_MS = 1000;
const AT_ONCE = 50;
/** Between the ten tries, in s: 23 hours in all. */
const PAUSES_S = [5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200];

/** Brings events to the endpoints: one holder at a time, so that an endpoint is not met by all replicas at once. */
@Injectable()
export class WebhookDelivery implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly leader: Leader,
    private readonly box: SecretBox,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.leader.register({
      name: 'webhooks.retry',
      every: EVERY_MS,
      periodMs: EVERY_MS,
      run: (term) => this.run(term),
    });
    this.leader.register({
      name: 'ledger.purge',
      every: '0 17 3 * * *',
      periodMs: 3_600_000,
      run: async () => ({
        decisions: await purgeDecisions(this.database),
        deliveries: await webhooks.purgeDeliveries(this.database),
      }),
    });
  }

  /** Everything that is due. */
  async run({ holds, signal }: Pick<Term, 'holds' | 'signal'>): Promise<{ attempts: number }> {
    let attempts = 0;
    while (!signal.aborted) {
      const due = await webhooks.claimDue(this.database, holds, AT_ONCE);
      if (due.length === 0) break;
      attempts += due.length;
      await Promise.all(due.map((delivery) => this.attempt(delivery)));
    }
    return { attempts };
  }

  private async attempt(delivery: webhooks.DueDelivery): Promise<void> {
    const answer = await this.post(delivery);
    if (answer && answer.status >= 200 && answer.status < 300) {
      await webhooks.markDelivered(this.database, delivery, answer.status);
      return;
    }
    const pauseS = PAUSES_S[delivery.attempts - 1];
    const pauseMs =
      pauseS === undefined ? null : Math.max(pauseS * 1000, answer?.retryAfterMs ?? 0) + jitter(pauseS * 100);
    await webhooks.markFailed(this.database, delivery, answer?.status ?? null, pauseMs);
    if (answer?.status === 410 || (await webhooks.failingForDays(this.database, delivery.endpointId))) {
      await webhooks.disableEndpoint(this.database, delivery.endpointId);
      this.log.warn('webhook.disabled', { endpointId: delivery.endpointId, status: answer?.status ?? null });
    }
  }

  /** Undefined without an answer. Never rejects. */
  private async post(
    delivery: webhooks.DueDelivery,
  ): Promise<{ status: number; retryAfterMs: number | undefined } | undefined> {
    const { eventId: id, type, createdAt, payload: data, url } = delivery;
    try {
      const secret = this.box.open(SEALED_AS, delivery.secretEnc);
      const envelope = { id, type, createdAt: createdAt.toISOString(), apiVersion: 'v1' as const, data };
      return await postOutgoing({
        url,
        ...signWebhook(envelope, secret),
        allowPrivate: this.config.WEBHOOK_ALLOW_PRIVATE,
      });
    } catch (error) {
      const { name } = error as Error;
      this.log.warn('webhook.failed', { endpointId: delivery.endpointId, type, error: name });
      return undefined;
    }
  }
}
