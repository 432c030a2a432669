import { newId } from '../../platform/clock/clock.js';
import { DomainEvent, type FeedPosition } from '../../platform/events/domain-event.js';
import type { CallRow } from './dto/call.view.js';

/** What a row of a conversation's feed tells about itself. */
interface Place {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
}

/** A message has a new state in its conversation's feed. */
abstract class MessageChanged extends DomainEvent {
  readonly key: string;
  protected readonly place: Place;
  constructor({ id, conversationId, seq, rev }: Place) {
    super();
    this.key = conversationId;
    this.place = { id, conversationId, seq, rev };
  }
  payload(): Record<string, unknown> {
    return { ...this.place };
  }
  override position(): FeedPosition {
    return { feed: 'conversation', id: this.key, rev: this.place.rev };
  }
}

export class MessageCreated extends MessageChanged {
  static override readonly topic = 'message.created';
}
/** Edited, pinned, or its files changed their state. */
export class MessageUpdated extends MessageChanged {
  static override readonly topic = 'message.updated';
}
export class MessageDeleted extends MessageChanged {
  static override readonly topic = 'message.deleted';
}
export class ReactionChanged extends MessageChanged {
  static override readonly topic = 'reaction.changed';
}
/** A call went on; its message has a new rev each time. */
export class CallUpdated extends MessageChanged {
  static override readonly topic = 'call.updated';
  constructor(
    place: Place,
    private readonly call: { callId: string; state: string },
  ) {
    super(place);
  }
  override payload() {
    return { ...super.payload(), ...this.call };
  }
}

/** What the devices of a call's participants are told at once. Never stored: the message is the record. */
export class CallHint extends DomainEvent {
  static override readonly topic = 'call.hint';
  readonly key: string;
  constructor(
    private readonly call: Pick<CallRow, 'id' | 'conversationId' | 'seq' | 'state' | 'participants'>,
    private readonly action: string,
    private readonly userId: string | null,
    private readonly deviceId: string | null,
  ) {
    super();
    this.key = call.id;
  }
  payload() {
    const { id, conversationId, seq, state, participants } = this.call;
    const { action, userId, deviceId } = this;
    return {
      to: participants.map((p) => p.userId),
      hint: { callId: id, c: conversationId, seq, action, state, userId, deviceId },
    };
  }
}
export type CallHintPayload = ReturnType<CallHint['payload']>;

/** Data on its way from one participant to another. Never stored. */
export class CallSignal extends DomainEvent {
  static override readonly topic = 'call.signal';
  readonly id = newId();
  constructor(
    readonly key: string,
    private readonly from: { userId: string; deviceId: string },
    private readonly to: { userId: string; deviceId?: string | undefined },
    private readonly data: unknown,
  ) {
    super();
  }
  payload() {
    return { id: this.id, callId: this.key, from: this.from, to: this.to, data: this.data };
  }
}
export type CallSignalPayload = ReturnType<CallSignal['payload']>;

/** One replica's answer to whoever sent a signal: to how many sockets it passed it on. */
export class CallSignalDelivered extends DomainEvent {
  static override readonly topic = 'call.signal.delivered';
  constructor(
    readonly key: string,
    private readonly replicaId: string,
    private readonly sockets: number,
  ) {
    super();
  }
  payload() {
    return { replicaId: this.replicaId, sockets: this.sockets };
  }
}
export type CallSignalDeliveredPayload = ReturnType<CallSignalDelivered['payload']>;

/** A thread was made, renamed, locked, replied to, or lost a reply. Live only: the message tells the rest. */
export class ThreadChanged extends DomainEvent {
  static override readonly topic = 'thread.changed';
  readonly key: string;
  constructor(private readonly thread: { id: string; conversationId: string; rootSeq: number; rev: number }) {
    super();
    this.key = thread.conversationId;
  }
  payload() {
    const { id, conversationId, rootSeq, rev } = this.thread;
    return { id, conversationId, rootSeq, rev };
  }
  override position(): FeedPosition {
    return { feed: 'conversation', id: this.key, rev: this.thread.rev };
  }
}

/** A scheduled message of this user was made, changed, cancelled, sent or has failed. Live only. */
export class ScheduledChanged extends DomainEvent {
  static override readonly topic = 'scheduled.changed';
  constructor(
    readonly key: string,
    readonly rev: number,
  ) {
    super();
  }
  payload() {
    return { userId: this.key, rev: this.rev };
  }
  override position(): FeedPosition {
    return { feed: 'user', id: this.key, rev: this.rev };
  }
}

/** Somebody writes, or has stopped. Never stored. */
export class Typing extends DomainEvent {
  static override readonly topic = 'typing';
  constructor(
    readonly key: string,
    private readonly userId: string,
    private readonly threadId: string | null,
    private readonly ttlMs: number,
  ) {
    super();
  }
  payload() {
    return { c: this.key, userId: this.userId, threadId: this.threadId, ttlMs: this.ttlMs };
  }
}
export type TypingPayload = ReturnType<Typing['payload']>;
