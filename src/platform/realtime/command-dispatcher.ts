import { Injectable } from '@nestjs/common';
import { requirePermission } from '../auth/actor.js';
import { jitter, monotonicMs } from '../clock/clock.js';
import { DomainError, validationFailed } from '../errors/domain-error.js';
import { type Problem, toProblem } from '../errors/problem.js';
import { reportUnexpected } from '../errors/report-unexpected.js';
import { fromIssues, translateError } from '../errors/translate-error.js';
import { Load, type LoadClass } from '../lifecycle/load.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { newRequestId } from '../logging/request-context.js';
import { exemplarOf, openSpan, type OpenSpan } from '../logging/tracing.js';
import { RateLimiter, rateLimited } from '../ratelimit/rate-limiter.js';
import { type Command, CommandRegistry } from './command-registry.js';
import { COMMAND_DEADLINE_MS } from './protocol.js';
import type { Client } from './sockets.js';

/** What the ack callback of every command gets. */
export type Ack = { ok: true; data: unknown } | { ok: false; error: Problem };
type AckCallback = (ack: Ack) => void;

const SHED_RETRY_MS = 2000;
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
    private readonly load: Load,
    private readonly log: Log,
  ) {}

  serve(client: Client): void {
    client.socket.onAny((event: string, ...args: unknown[]) => this.dispatch(client, event, args));
  }

  /** Nothing is awaited that need not be: a command that answers at once is acked at once. */
  private dispatch(client: Client, event: string, args: unknown[]): void {
    const ack = typeof args.at(-1) === 'function' ? (args.pop() as AckCallback) : undefined;
    const command = this.registry.get(event);
    const label = command ? event : 'unknown';
    const span = openSpan({ name: `ws ${label}`, kind: 'server', facts: { 'ws.event': label } });
    const call = new Call(label, ack, this.log, span);
    try {
      this.countAgainstLimit(client, event);
      if (!command) throw new DomainError('unknown_event', { detail: `There is no event ${event.slice(0, 64)}` });
      if (this.load.sheds(classOf(event))) throw new DomainError('overloaded', { retryAfterMs: SHED_RETRY_MS });
      const work = span ? span.within(() => run(command, client, args)) : run(command, client, args);
      if (work instanceof Promise) call.answerWith(work);
      else call.succeed(work);
    } catch (thrown) {
      call.fail(thrown);
    }
  }

  private countAgainstLimit(client: Client, event: string): void {
    const quota = this.limiter.checkNow('socket', client.socket.id, { route: event, userId: client.userId });
    if (!quota.exceeded) return;
    const at = monotonicMs();
    if (at - client.refusedSince > FLOOD_WINDOW_MS) [client.refusedSince, client.refusals] = [at, 0];
    client.refusals += 1;
    // After the answer has left.
    if (client.refusals === FLOOD_REFUSALS) setImmediate(() => client.socket.disconnect(true));
    throw rateLimited(quota);
  }
}

/** One command under way; the first outcome counts, what comes later is dropped. */
class Call {
  private readonly startedAt = monotonicMs();
  private deadline: NodeJS.Timeout | undefined;
  private finished = false;

  constructor(
    private readonly label: string,
    private readonly ack: AckCallback | undefined,
    private readonly log: Log,
    private readonly span: OpenSpan | undefined,
  ) {}

  answerWith(work: Promise<unknown>): void {
    // What it does goes on; whoever repeats an idempotent command gets its answer.
    this.deadline = setTimeout(
      () => this.fail(new DomainError('overloaded', { detail: 'It takes longer than 10 s' })),
      COMMAND_DEADLINE_MS,
    );
    work.then((data) => this.succeed(data)).catch((thrown: unknown) => this.fail(thrown));
  }

  succeed(data: unknown): void {
    if (this.finished) return;
    this.ack?.({ ok: true, data: data ?? {} });
    this.finish('ok');
  }

  fail(thrown: unknown): void {
    if (this.finished) return;
    const error = translateError(thrown);
    const requestId = newRequestId();
    reportUnexpected(this.log, error, { event: this.label, requestId });
    this.ack?.({ ok: false, error: toProblem(error, this.label, requestId, jitter) });
    this.finish(error.code);
  }

  private finish(result: string): void {
    this.finished = true;
    clearTimeout(this.deadline);
    metrics.wsEventDuration.observe({
      labels: { event: this.label, result },
      value: (monotonicMs() - this.startedAt) / 1000,
      exemplarLabels: exemplarOf(this.span),
    });
    this.span?.end({ facts: { 'ws.result': result }, ...(result === 'ok' ? {} : { error: result }) });
  }
}

function run(command: Command, client: Client, args: readonly unknown[]): unknown {
  if (args.length > 1) throw validationFailed({ path: '', code: 'too_many', message: 'an event has one payload' });
  if (typeof command.policy === 'object') requirePermission(client.actor, command.policy.permission);
  const parsed = command.schema.safeParse(args[0]);
  if (!parsed.success) throw fromIssues(parsed.error.issues);
  return command.handle(client, parsed.data);
}

const classes: Readonly<Record<string, LoadClass>> = {
  typing: 'hint',
  'presence.activity': 'hint',
  'presence.watch': 'hint',
  receipt: 'receipt',
};
/** What may wait is refused first; everything else, sends and sync above all, last. */
const classOf = (event: string): LoadClass => classes[event] ?? 'essential';
