import { Injectable } from '@nestjs/common';
import { newId } from '../clock/clock.js';
import type { Tx } from '../database/db.js';
import { sql } from '../database/sql.js';
import { Log } from '../logging/log.js';
import { withTrace } from '../logging/tracing.js';
import { Bus } from './bus.js';
import type { DeliveredEvent, DomainEvent, FeedPosition } from './domain-event.js';
import { EventHandlers } from './event-handlers.js';
import { HintLoss } from './hint-loss.js';

/** How modules tell the ones above them, and other replicas, what happened. Services publish and never listen. */
@Injectable()
export class EventsService {
  private readonly positionListeners: ((position: FeedPosition) => void)[] = [];
  private readonly announcementListeners: (() => void)[] = [];

  constructor(
    private readonly handlers: EventHandlers,
    private readonly bus: Bus,
    private readonly loss: HintLoss,
    private readonly log: Log,
  ) {
    bus.onEvent((event) => this.deliver(event));
  }

  /** Durable: the outbox row is written in the caller's transaction; the live hint follows its commit. */
  async publish(tx: Tx, event: DomainEvent, view?: unknown): Promise<void> {
    await tx.execute(
      sql`SELECT outbox_append(${event.topic}, ${event.key}, ${JSON.stringify(withTrace(event.payload()))}::jsonb)`,
    );
    tx.afterCommit(() => this.announce(event, view));
  }

  /** The live hint alone, for a statement that wrote its outbox row itself. `view` is what listeners here need not read again. */
  announce(event: DomainEvent, view?: unknown): void {
    const delivered: DeliveredEvent = {
      id: newId(),
      topic: event.topic,
      key: event.key,
      payload: event.payload(),
      view,
    };
    for (const listener of this.announcementListeners) listener();
    if (this.loss.strikes()) return;
    this.deliver(delivered);
    const position = event.position?.();
    if (position) {
      this.bus.advance(position);
      // After the live handlers, which had the view: whoever is not there yet reads the rows.
      for (const listener of this.positionListeners) listener(position);
    } else this.bus.send({ id: delivered.id, topic: delivered.topic, key: delivered.key, payload: delivered.payload });
  }

  /** Live with no row at all: typing, presence. May be lost. */
  hint(event: DomainEvent, view?: unknown): void {
    this.announce(event, view);
  }

  /** Hears that something was announced here, so that there may be work in the outbox. */
  onAnnounced(listener: () => void): void {
    this.announcementListeners.push(listener);
  }

  /** Hears which position a feed has reached, told here or on another replica. */
  onPosition(listener: (position: FeedPosition) => void): void {
    this.positionListeners.push(listener);
    this.bus.onPosition(listener);
  }

  private deliver(event: DeliveredEvent): void {
    for (const { name, handle } of this.handlers.liveFor(event.topic)) {
      void (async () => handle(event))().catch((error: unknown) => {
        this.log.error('event.failed', { topic: event.topic, handler: name, err: error });
      });
    }
  }
}
