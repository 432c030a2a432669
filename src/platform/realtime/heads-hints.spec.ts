import { HeadsHints } from './heads-hints.js';
import type { Rooms } from './rooms.js';

describe('HeadsHints', () => {
  const sent: unknown[] = [];
  const positions = new Map<string, number>();
  let hints: HeadsHints;
  beforeEach(() => {
    jest.useFakeTimers();
    sent.length = 0;
    positions.clear();
    hints = new HeadsHints({ toConversation: (...args: unknown[]) => sent.push(args) } as unknown as Rooms);
    hints.start((id) => positions.get(id));
  });
  afterEach(() => {
    hints.onApplicationShutdown();
    jest.useRealTimers();
  });

  it('repeats the latest position of what moved, once, half a minute after it first did', () => {
    positions.set('a', 1);
    hints.moved('a');
    jest.advanceTimersByTime(20_000);
    positions.set('a', 5);
    hints.moved('a');
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(11_000);
    expect(sent).toEqual([['a', 'heads', { a: 5 }]]);
    jest.advanceTimersByTime(120_000);
    expect(sent).toHaveLength(1);
  });

  it('says nothing of rooms that are gone', () => {
    hints.moved('a');
    jest.advanceTimersByTime(60_000);
    expect(sent).toEqual([]);
  });
});
