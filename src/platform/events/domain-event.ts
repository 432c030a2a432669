/** Where an event stands in a feed. Other replicas are told this position, not the event: they read the rows themselves. */
export interface FeedPosition {
  feed: 'conversation' | 'user';
  id: string;
  rev: number;
}

/**
 * Something that happened, in the past tense, of one aggregate. `topic` is its stable name in outbox, queue and
 * webhooks; `payload` carries ids and positions, never bodies.
 */
export abstract class DomainEvent {
  static readonly topic: string;
  static readonly version: number = 1;

  /** Id of the aggregate; events of one key keep their order in the outbox. */
  abstract readonly key: string;
  /** Ids and positions; plain JSON. */
  abstract payload(): Record<string, unknown>;
  /** Set when the event moved a feed. */
  position?(): FeedPosition;

  get topic(): string {
    return (this.constructor as typeof DomainEvent).topic;
  }
}

/** The class of an event, as `@Durable` and `@Live` take it. */
export interface EventClass<E extends DomainEvent = DomainEvent> {
  readonly topic: string;
  readonly version: number;
  readonly prototype: E;
}

/** An event as a handler on another replica or a worker gets it: without methods, with its id. */
export interface DeliveredEvent<Payload = Record<string, unknown>> {
  /** Stable across repeats of a durable delivery; the key of idempotent handlers. */
  id: string;
  topic: string;
  key: string;
  payload: Payload;
  /** The view its maker had at hand; only on the replica that made it. */
  view?: unknown;
}
