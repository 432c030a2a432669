import { DomainEvent, type FeedPosition } from '../../platform/events/domain-event.js';

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
  payload() {
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
/** A call began or went on; its message has a new rev each time. `action` is what the participants' devices are told. */
export class CallUpdated extends MessageChanged {
  static override readonly topic = 'call.updated';
  constructor(
    place: Place,
    private readonly call: { callId: string; state: string; action: string; userId: string | null; deviceId: string | null; participantIds: string[] },
  ) {
    super(place);
  }
  override payload() {
    return { ...this.place, ...this.call };
  }
}

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
export type ThreadChangedPayload = ReturnType<ThreadChanged['payload']>;
export type MessageChangedPayload = Place;

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
    readonly userId: string,
    readonly threadId: string | null,
    readonly on: boolean,
  ) {
    super();
  }
  payload() {
    return { userId: this.userId, threadId: this.threadId, on: this.on };
  }
}
