import { monotonicMs } from '../clock/clock.js';
import { metrics } from '../logging/metrics.js';
import { Bus } from './bus.js';
import type { DeliveredEvent, FeedPosition } from './domain-event.js';
import { cut, type Piece, Pieces } from './large-events.js';

/** What travels: the sender, the heads of feeds by kind and id, events without a position, and parts of large ones. */
interface BusMessage {
  r: string;
  c?: Record<string, number>;
  u?: Record<string, number>;
  e?: DeliveredEvent[];
  p?: Piece;
}

const INTERVAL_MS = 25;
const CHUNK_BYTES = 7000;
/** `{"r":"<uuid>","c":{},"u":{},"e":[]}` with room to spare. */
const ENVELOPE_BYTES = 100;
const POSITION_BYTES = 60;
const MAX_WAITING_EVENTS = 2000;
const HEARTBEAT_MS = 5000;
const HEARING_LIMIT_MS = 2000;

/**
 * One publisher per process that joins what happens within 25 ms: the first hint leaves at once, so an idle bus adds no
 * delay. Every 5 s it sends a message to itself; a bus on which the own voice is not heard is not connected, whatever
 * its socket says.
 */
export abstract class CoalescingBus extends Bus {
  private conversations = new Map<string, number>();
  private users = new Map<string, number>();
  private events: DeliveredEvent[] = [];
  private readonly pieces = new Pieces();
  private timer: NodeJS.Timeout | undefined;
  private lastSentAt = -Infinity;
  private sending = false;
  private heartbeat: NodeJS.Timeout | undefined;
  private heard = false;
  private waitingForVoice = false;
  private onOwnVoice: () => void = () => undefined;

  constructor(private readonly replicaId: string) {
    super();
  }

  /** Sends texts of at most 7 KB to every replica, this one included. */
  protected abstract transmit(texts: readonly string[]): Promise<void>;
  /** The own voice was not heard: whatever connection there is, is to be made anew. */
  protected abstract silent(): void;

  get connected(): boolean {
    return this.heard;
  }

  override advance({ feed, id, rev }: FeedPosition): void {
    if (!this.heard) return;
    const waiting = feed === 'conversation' ? this.conversations : this.users;
    if ((waiting.get(id) ?? 0) < rev) waiting.set(id, rev);
    this.schedule();
  }

  override send(event: DeliveredEvent): void {
    if (!this.heard) return;
    if (this.events.length >= MAX_WAITING_EVENTS) {
      metrics.busDropped.inc();
      return;
    }
    this.events.push(event);
    this.schedule();
  }

  /**
   * To be called by the driver after each (re)connect: resolves when the own voice was heard.
   * @throws when it is not heard in time: this connection carries nothing
   */
  protected async listening(): Promise<void> {
    this.stopListening();
    const heard = new Promise<void>((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error('own messages do not arrive on this connection')),
        HEARING_LIMIT_MS,
      );
      this.onOwnVoice = () => {
        clearTimeout(limit);
        this.heard = true;
        this.waitingForVoice = false;
        resolve();
      };
    });
    await Promise.all([heard, this.beat()]);
    this.heartbeat = setInterval(() => {
      if (this.waitingForVoice) return this.silent();
      this.waitingForVoice = true;
      this.beat().catch(() => undefined);
    }, HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  private beat(): Promise<void> {
    return this.transmit([JSON.stringify({ r: this.replicaId } satisfies BusMessage)]);
  }

  /** Nothing arrives any more. */
  protected stopListening(): void {
    this.heard = false;
    this.waitingForVoice = false;
    this.onOwnVoice = () => undefined;
    clearInterval(this.heartbeat);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.conversations.clear();
    this.users.clear();
    this.events = [];
  }

  /** To be called by the driver with each text that arrives. */
  protected arrived(text: string): void {
    const message = parse(text);
    if (!message) return;
    if (message.r === this.replicaId) {
      this.onOwnVoice();
      return;
    }
    for (const [id, rev] of Object.entries(message.c ?? {})) this.receivePosition({ feed: 'conversation', id, rev });
    for (const [id, rev] of Object.entries(message.u ?? {})) this.receivePosition({ feed: 'user', id, rev });
    for (const event of message.e ?? []) this.receiveEvent(event);
    const whole = message.p && this.pieces.add(message.p);
    if (whole) this.receiveEvent(whole);
  }

  private schedule(): void {
    if (this.timer || this.sending) return;
    const wait = this.lastSentAt + INTERVAL_MS - monotonicMs();
    this.timer = setTimeout(() => void this.flush(), Math.max(0, wait));
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const texts = this.takeWaiting();
    this.sending = true;
    this.lastSentAt = monotonicMs();
    try {
      await this.transmit(texts);
      metrics.busMessages.inc({ direction: 'out' }, texts.length);
    } catch {
      metrics.busDropped.inc(texts.length);
    }
    this.sending = false;
    if (this.conversations.size + this.users.size + this.events.length > 0) this.schedule();
  }

  /** Everything that waits, in texts that each fit into one message. */
  private takeWaiting(): string[] {
    const chunks = new Chunks(this.replicaId);
    for (const [id, rev] of this.conversations) chunks.position('c', id, rev);
    for (const [id, rev] of this.users) chunks.position('u', id, rev);
    for (const event of this.events) chunks.event(event);
    this.conversations.clear();
    this.users.clear();
    this.events = [];
    return chunks.texts();
  }
}

class Chunks {
  private readonly done: string[] = [];
  private open: BusMessage;
  private bytes = ENVELOPE_BYTES;

  constructor(private readonly replicaId: string) {
    this.open = { r: replicaId };
  }

  position(kind: 'c' | 'u', id: string, rev: number): void {
    this.reserve(POSITION_BYTES);
    (this.open[kind] ??= {})[id] = rev;
  }

  event(event: DeliveredEvent): void {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (size > CHUNK_BYTES - ENVELOPE_BYTES) return this.large(event);
    this.reserve(size);
    (this.open.e ??= []).push(event);
  }

  /** In messages of its own, in its place among the others. */
  private large(event: DeliveredEvent): void {
    const pieces = cut(event);
    if (!pieces) return metrics.busDropped.inc();
    this.close();
    for (const piece of pieces) this.done.push(JSON.stringify({ r: this.replicaId, p: piece } satisfies BusMessage));
  }

  texts(): string[] {
    this.close();
    return this.done;
  }

  private reserve(bytes: number): void {
    if (this.bytes + bytes > CHUNK_BYTES) this.close();
    this.bytes += bytes;
  }

  private close(): void {
    if (this.bytes > ENVELOPE_BYTES) this.done.push(JSON.stringify(this.open));
    this.open = { r: this.replicaId };
    this.bytes = ENVELOPE_BYTES;
  }
}

/** Another version of Parley may speak on the same channel: what is not understood is ignored. */
function parse(text: string): BusMessage | undefined {
  try {
    const message = JSON.parse(text) as Partial<BusMessage> | null;
    return typeof message === 'object' && message !== null && typeof message.r === 'string'
      ? (message as BusMessage)
      : undefined;
  } catch {
    return undefined;
  }
}
