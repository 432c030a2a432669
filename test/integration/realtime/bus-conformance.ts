import { newId } from '../../../src/platform/clock/clock.js';
import type { Bus } from '../../../src/platform/events/bus.js';
import type { DeliveredEvent, FeedPosition } from '../../../src/platform/events/domain-event.js';

/** What one replica hears. */
export class Ear {
  readonly positions: FeedPosition[] = [];
  readonly events: DeliveredEvent[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(bus: Bus) {
    bus.onPosition((position) => this.heard(() => this.positions.push(position)));
    bus.onEvent((event) => this.heard(() => this.events.push(event)));
  }

  /** Resolves when the condition holds, after anything was heard. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  private heard(record: () => void): void {
    record();
    for (const look of this.waiting) look();
  }
}

export const eventOf = (payload: Record<string, unknown> = {}): DeliveredEvent => ({
  id: newId(),
  topic: 'test',
  key: newId(),
  payload,
});

/** Waits for a state that a socket of another process brings about. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What every driver that reaches other replicas does. `make` answers a started bus of a new replica. */
export function conformance(make: () => Promise<Bus>): void {
  let a: Bus;
  let b: Bus;
  let ear: Ear;
  let own: Ear;
  beforeEach(async () => {
    [a, b] = await Promise.all([make(), make()]);
    [own, ear] = [new Ear(a), new Ear(b)];
  });
  afterEach(() => Promise.all([a.stop(), b.stop()]));

  it('is connected once started, and not after it stopped', async () => {
    expect(a.connected).toBe(true);
    await a.stop();
    expect(a.connected).toBe(false);
  });

  it('brings positions of both kinds to the others, and not back to the sender', async () => {
    const [c, u] = [newId(), newId()];
    a.advance({ feed: 'conversation', id: c, rev: 7 });
    a.advance({ feed: 'user', id: u, rev: 3 });
    await ear.until(() => ear.positions.length === 2);
    expect(ear.positions).toEqual([
      { feed: 'conversation', id: c, rev: 7 },
      { feed: 'user', id: u, rev: 3 },
    ]);
    b.send(eventOf());
    await own.until(() => own.events.length === 1);
    expect(own.positions).toEqual([]);
  });

  it('joins positions of one feed into the highest', async () => {
    const c = newId();
    for (const rev of [1, 2, 9, 4]) a.advance({ feed: 'conversation', id: c, rev });
    await ear.until(() => ear.positions.length > 0);
    expect(ear.positions).toEqual([{ feed: 'conversation', id: c, rev: 9 }]);
  });

  it('brings events whole and in order', async () => {
    const events = [eventOf({ text: 'ünïcödé 👋' }), eventOf({ nested: { list: [1, 2] } })];
    for (const event of events) a.send(event);
    await ear.until(() => ear.events.length === 2);
    expect(ear.events).toEqual(events);
  });

  it('carries more than fits into one message', async () => {
    const ids = Array.from({ length: 1000 }, () => newId());
    for (const id of ids) a.advance({ feed: 'conversation', id, rev: Number.MAX_SAFE_INTEGER });
    for (let i = 0; i < 100; i++) a.send(eventOf({ text: '👋'.repeat(200) }));
    await ear.until(() => ear.positions.length === 1000 && ear.events.length === 100);
    expect(new Set(ear.positions.map(({ id }) => id))).toEqual(new Set(ids));
  });

  it('carries a large event in pieces, in its place among the others', async () => {
    const events = [eventOf(), eventOf({ text: 'ünï👋'.repeat(1800) }), eventOf()];
    for (const event of events) a.send(event);
    await ear.until(() => ear.events.length === 3);
    expect(ear.events).toEqual(events);
  });

  it('drops an event too large for that and carries the next', async () => {
    a.send(eventOf({ text: 'x'.repeat(30_000) }));
    const next = eventOf();
    a.send(next);
    await ear.until(() => ear.events.length > 0);
    expect(ear.events).toEqual([next]);
  });
}
