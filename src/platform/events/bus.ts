import type { DeliveredEvent, FeedPosition } from './domain-event.js';

type EventListener = (event: DeliveredEvent) => void;
type PositionListener = (position: FeedPosition) => void;

/**
 * Carries hints between replicas; PostgreSQL holds the truth, so everything here may be lost, doubled or late. Listeners
 * hear other replicas only: the own replica was told directly.
 */
export abstract class Bus {
  private readonly eventListeners: EventListener[] = [];
  private readonly positionListeners: PositionListener[] = [];

  /** May connect already, while the application starts; nothing is sent or heard before `start`. */
  prepare(): void {}
  abstract start(): Promise<void>;
  abstract stop(): Promise<void>;
  /** Tells that a feed has reached a position; several for one feed may become one, the highest. */
  abstract advance(position: FeedPosition): void;
  /** Sends an event without a position. */
  abstract send(event: DeliveredEvent): void;
  /** For health: whether hints of others arrive at present. */
  abstract get connected(): boolean;

  onEvent(listener: EventListener): void {
    this.eventListeners.push(listener);
  }
  onPosition(listener: PositionListener): void {
    this.positionListeners.push(listener);
  }

  protected receiveEvent(event: DeliveredEvent): void {
    for (const listener of this.eventListeners) listener(event);
  }
  protected receivePosition(position: FeedPosition): void {
    for (const listener of this.positionListeners) listener(position);
  }
}
