import { DomainEvent, type FeedPosition } from '../../platform/events/domain-event.js';

/** A change of a conversation's feed; `rev` is the head after it. */
abstract class ConversationEvent extends DomainEvent {
  constructor(
    /** The conversation's id. */
    readonly key: string,
    readonly rev: number,
    readonly actorId: string,
  ) {
    super();
  }
  payload(): Record<string, unknown> {
    return { conversationId: this.key, rev: this.rev, actorId: this.actorId };
  }
  override position(): FeedPosition {
    return { feed: 'conversation', id: this.key, rev: this.rev };
  }
}

export class ConversationCreated extends ConversationEvent {
  static override readonly topic = 'conversation.created';
  constructor(
    conversationId: string,
    rev: number,
    actorId: string,
    readonly type: 'direct' | 'group' | 'channel',
  ) {
    super(conversationId, rev, actorId);
  }
  override payload() {
    return { ...super.payload(), type: this.type };
  }
}

export class ConversationUpdated extends ConversationEvent {
  static override readonly topic = 'conversation.updated';
}

/** Everybody has lost access. */
export class ConversationDeleted extends ConversationEvent {
  static override readonly topic = 'conversation.deleted';
}

/** How somebody became a member: with the conversation, by another member, by themselves. */
export type Entrance = 'created' | 'added' | 'joined' | 'invited';

/** One or more users became members, in one step. */
export class MemberAdded extends ConversationEvent {
  static override readonly topic = 'member.added';
  constructor(
    conversationId: string,
    rev: number,
    actorId: string,
    readonly userIds: readonly string[],
    readonly entrance: Entrance,
  ) {
    super(conversationId, rev, actorId);
  }
  override payload() {
    return { ...super.payload(), userIds: this.userIds, entrance: this.entrance };
  }
}

abstract class MemberEvent extends ConversationEvent {
  constructor(
    conversationId: string,
    rev: number,
    actorId: string,
    readonly userId: string,
  ) {
    super(conversationId, rev, actorId);
  }
  override payload(): Record<string, unknown> {
    return { ...super.payload(), userId: this.userId };
  }
}

/** A member left, or was removed by somebody else (`actorId` differs from `userId`). */
export class MemberRemoved extends MemberEvent {
  static override readonly topic = 'member.removed';
}

/** A member has another role. */
export class MemberUpdated extends MemberEvent {
  static override readonly topic = 'member.updated';
}

/** `[userId, delivered, read]`. */
type Mark = [string, number, number];

/** Risen watermarks of one conversation. */
export interface ReceiptHint {
  c: string;
  /** For everybody but `except`, who see no receipts. */
  room: Mark[];
  except: string[];
  /** For the devices of their own user alone. */
  own: Mark[];
}

/** Watermarks rose. Live only. */
export class ReceiptsMoved extends DomainEvent {
  static override readonly topic = 'receipts.moved';
  readonly key = 'receipts';
  constructor(readonly hints: readonly ReceiptHint[]) {
    super();
  }
  payload() {
    return { hints: this.hints };
  }
}
