import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { BreakerOpenError } from '../../platform/lifecycle/breaker.js';
import { Breakers } from '../../platform/lifecycle/breakers.js';
import { Log } from '../../platform/logging/log.js';
import { traceHeaders } from '../../platform/logging/tracing.js';
import { messageBody } from './dto/send-message.dto.js';
import { messageRejected } from './messages.errors.js';

const TIMEOUT_MS = 300;
const verdict = z.object({ action: z.enum(['allow', 'reject', 'replace']), body: messageBody.optional() });

/** Asks the operator's service about a text before it is stored. Without a configured one everything is allowed. */
@Injectable()
export class ModerationHook {
  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly breakers: Breakers,
  ) {}

  /**
   * The text to store, which may be another one.
   * @throws message_rejected; dependency_unavailable when the hook is silent and `MODERATION_HOOK_FAIL` is closed
   */
  async review(message: {
    conversationId: string;
    senderId: string;
    kind: string;
    body: string | null;
    attachmentIds: readonly string[];
  }): Promise<string | null> {
    const url = this.config.MODERATION_HOOK_URL;
    if (!url) return message.body;
    const { action, body } = await this.ask(url, message);
    if (action === 'reject') throw messageRejected();
    return action === 'replace' ? (body ?? null) : message.body;
  }

  private async ask(url: string, message: object): Promise<z.output<typeof verdict>> {
    try {
      return await this.breakers.of('moderation').run(() => this.post(url, message));
    } catch (error) {
      if (!(error instanceof BreakerOpenError))
        this.log.warn('moderation.failed', { error: error instanceof Error ? error.name : 'unknown' });
      if (this.config.MODERATION_HOOK_FAIL === 'closed')
        throw new DomainError('dependency_unavailable', { detail: 'The moderation hook does not answer' });
      return { action: 'allow' };
    }
  }

  private async post(url: string, message: object): Promise<z.output<typeof verdict>> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...traceHeaders() },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return verdict.parse(await response.json());
  }
}
