import { Injectable } from '@nestjs/common';
import { jitter, monotonicMs } from '../clock/clock.js';
import { DomainError, validationFailed } from '../errors/domain-error.js';
import { type Problem, toProblem } from '../errors/problem.js';
import { reportUnexpected } from '../errors/report-unexpected.js';
import { fromIssues, translateError } from '../errors/translate-error.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { newRequestId } from '../logging/request-context.js';
import { RateLimiter, rateLimited } from '../ratelimit/rate-limiter.js';
import { type Command, CommandRegistry } from './command-registry.js';
import { COMMAND_DEADLINE_MS } from './protocol.js';
import type { Client } from './sockets.js';

/** What the ack callback of every command gets. */
export type Ack = { ok: true; data: unknown } | { ok: false; error: Problem };
type AckCallback = (ack: Ack) => void;

const FLOOD_REFUSALS = 50;
const FLOOD_WINDOW_MS = 10_000;

/**
 * Answers everything a client sends. One listener per socket; every outcome is an ack, and a client that asked for none
 * is served silently.
 */
@Injectable()
export class CommandDispatcher {
  constructor(
    private readonly registry: CommandRegistry,
    private readonly limiter: RateLimiter,
    private readonly log: Log,
  ) {}

  serve(client: Client): void {
    client.socket.onAny((event: string, ...args: unknown[]) => void this.dispatch(client, event, args));
  }

  /** Never rejects. */
  private async dispatch(client: Client, event: string, args: unknown[]): Promise<void> {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as AckCallback) : undefined;
    const command = this.registry.get(event);
    const label = command ? event : 'unknown';
    const startedAt = monotonicMs();
    let result = 'ok';
    try {
      await this.countAgainstLimit(client, event);
      if (!command) throw new DomainError('unknown_event', { detail: `There is no event ${event.slice(0, 64)}` });
      const data = await withDeadline(run(command, client, args));
      ack?.({ ok: true, data: data ?? {} });
    } catch (thrown) {
      const error = translateError(thrown);
      result = error.code;
      const requestId = newRequestId();
      reportUnexpected(this.log, error, { event: label, requestId });
      ack?.({ ok: false, error: toProblem(error, label, requestId, jitter) });
    }
    metrics.wsEventDuration.observe({ event: label, result }, (monotonicMs() - startedAt) / 1000);
  }

  private async countAgainstLimit(client: Client, event: string): Promise<void> {
    const quota = await this.limiter.check('socket', client.socket.id, {
      route: event.slice(0, 64),
      userId: client.userId,
    });
    if (!quota.exceeded) return;
    const at = monotonicMs();
    if (at - client.refusedSince > FLOOD_WINDOW_MS) [client.refusedSince, client.refusals] = [at, 0];
    client.refusals += 1;
    // After the answer has left.
    if (client.refusals === FLOOD_REFUSALS) setImmediate(() => client.socket.disconnect(true));
    throw rateLimited(quota);
  }
}

function run(command: Command, client: Client, args: readonly unknown[]): unknown {
  if (args.length > 1) throw validationFailed({ path: '', code: 'too_many', message: 'an event has one payload' });
  const parsed = command.schema.safeParse(args[0]);
  if (!parsed.success) throw fromIssues(parsed.error.issues);
  return command.handle(client, parsed.data);
}

/** The outcome of work that takes too long is unknown; what is idempotent may be repeated. */
async function withDeadline(work: unknown): Promise<unknown> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DomainError('overloaded', { detail: 'It took longer than 10 s' })),
      COMMAND_DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
