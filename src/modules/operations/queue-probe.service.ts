import { Injectable, type OnModuleInit } from '@nestjs/common';
import { monotonicMs, newId } from '../../platform/clock/clock.js';
import { classify } from '../../platform/database/database-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { DelayedWork, type DueWork } from '../../platform/queue/delayed-work.js';
import { QueueProbed } from './operations.events.js';

const QUEUE = 'probe';
/** Less than a request may take. */
const PATIENCE_MS = 8000;

/** What became of a piece of work that was sent through the queue and does nothing. */
export type QueueProbe =
  | { status: 'ok'; driver: string; latencyMs: number }
  | { status: 'error'; driver: string; error: { class: string; detail: string } };

/** Sends work through the queue and sees it arrive, at whichever worker takes it. */
@Injectable()
export class QueueProbeService implements OnModuleInit {
  private readonly awaited = new Map<string, () => void>();
  private underway: Promise<QueueProbe> | undefined;

  constructor(
    private readonly work: DelayedWork,
    private readonly events: EventsService,
  ) {}

  onModuleInit(): void {
    this.work.consume({ queue: QUEUE, concurrency: 1, handle: ({ key }: DueWork) => this.tell(key) });
  }

  /** One at a time in one process; who asks meanwhile gets the same answer. Never rejects. */
  probe(): Promise<QueueProbe> {
    this.underway ??= this.send().finally(() => (this.underway = undefined));
    return this.underway;
  }

  /** A worker has got it, here or on another replica. */
  arrived(id: string): void {
    this.awaited.get(id)?.();
  }

  private async tell(id: string): Promise<void> {
    this.events.hint(new QueueProbed(id));
  }

  private async send(): Promise<QueueProbe> {
    const { driver } = this.work;
    const [id, began] = [newId(), monotonicMs()];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const arrival = new Promise<boolean>((resolve) => {
      this.awaited.set(id, () => resolve(true));
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    try {
      await this.work.add([{ queue: QUEUE, key: id, payload: {} }]);
      if (await arrival) return { status: 'ok', driver, latencyMs: Math.round(monotonicMs() - began) };
      const detail = `no worker got it within ${PATIENCE_MS / 1000} s`;
      return { status: 'error', driver, error: { class: 'timeout', detail } };
    } catch (error) {
      return { status: 'error', driver, error: { class: classify(error).class, detail: 'it could not be added' } };
    } finally {
      clearTimeout(timer);
      this.awaited.delete(id);
    }
  }
}
