import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { sqlStateOf } from '../../platform/database/database-error.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Log } from '../../platform/logging/log.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { abandonCall, listExpired, writeTransition } from './calls.repository.js';
import { accept, decline, end, expire, isRunning, RING_MS, type Transition } from './calls.rules.js';
import { CallSignalsService } from './call-signals.service.js';
import { CallsService } from './calls.service.js';
import type { CallSignalInput } from './dto/call.dto.js';
import type { CallRow, CallView } from './dto/call.view.js';
import { type Change, MessageChangeService } from './message-change.service.js';
import { notFound } from './messages.errors.js';
import { CallHint, CallSignal, CallUpdated } from './messages.events.js';
import type { FullMessageRow } from './messages.repository.js';

type Step = (call: CallRow) => Transition | undefined;
const EVERY_MS = 5000;
const AT_ONCE = 100;

/** How calls go on after the first ring: each step is a change of the call's message. */
@Injectable()
export class CallProgressService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly calls: CallsService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessageChangeService,
    private readonly events: EventsService,
    private readonly signals: CallSignalsService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.background.registerJob({ name: 'calls.timeout', every: EVERY_MS, run: () => this.expireDue() });
  }

  accept(actor: Actor, id: string): Promise<CallView> {
    return this.step(actor, id, (call) => accept(call, actor.userId));
  }

  decline(actor: Actor, id: string): Promise<CallView> {
    return this.step(actor, id, (call) => decline(call, actor.userId));
  }

  async end(actor: Actor, id: string): Promise<CallView> {
    const { member } = await this.calls.require(actor, id);
    return this.step(actor, id, (call) => end(call, actor.userId, member.type === 'direct'));
  }

  /** Passes data from one participant to another; never stored, may be lost. `delivered` counts sockets of all replicas. @throws not_found */
  async signal(actor: Actor, { callId, to, data }: CallSignalInput): Promise<{ delivered: number }> {
    const { call } = await this.calls.require(actor, callId);
    const present = new Set(call.participants.map(({ userId }) => userId));
    if (!isRunning(call) || !present.has(actor.userId) || !present.has(to.userId)) throw notFound();
    if (!(await this.conversations.activeAmong(call.conversationId, [to.userId])).has(to.userId)) throw notFound();
    const from = { userId: actor.userId, deviceId: actor.deviceId };
    return { delivered: await this.signals.send(new CallSignal(callId, from, to, data)) };
  }

  /** The job `calls.timeout`. One call that cannot be ended does not keep the others ringing. */
  async expireDue(): Promise<void> {
    for (const { conversationId, seq } of await listExpired(this.database, RING_MS, AT_ONCE)) {
      try {
        await this.messages.apply(null, { c: conversationId, seq, visibleFromSeq: 1 }, (row) =>
          this.plan(row, null, expire),
        );
      } catch (error) {
        // In a conversation that was deleted nobody is left to tell.
        if (sqlStateOf(error) === 'PA404') await abandonCall(this.database, conversationId, seq);
        else this.log.warn('calls.timeout_failed', { err: error });
      }
    }
  }

  private async step(actor: Actor, id: string, step: Step): Promise<CallView> {
    const { call, member } = await this.calls.require(actor, id);
    await this.messages.apply(
      actor,
      { c: call.conversationId, seq: call.seq, visibleFromSeq: member.visibleFromSeq },
      (row) => this.plan(row, actor, step),
    );
    return this.calls.get(actor, id);
  }

  private plan({ call }: FullMessageRow, actor: Actor | null, step: Step): Change | undefined {
    if (!call) throw notFound();
    const transition = step(call);
    if (!transition) return undefined;
    const by = actor && { userId: actor.userId, deviceId: actor.deviceId };
    return {
      write: async (tx) => {
        await writeTransition(tx, call.id, transition, by);
        tx.afterCommit(() => {
          const told = { ...call, state: transition.state };
          this.events.hint(new CallHint(told, transition.action, by?.userId ?? null, by?.deviceId ?? null));
        });
      },
      event: (row) => new CallUpdated(row, { callId: call.id, state: transition.state }),
    };
  }
}
