import { BriefMemory } from './brief-memory.js';

const HOUR_MS = 3_600_000;

describe('a brief memory', () => {
  it('forgets at its time, and lets go of it with the next entry', () => {
    const memory = new BriefMemory<number>(0, 10);
    memory.set('a', 1);
    expect(memory.get('a')).toBeUndefined();
    memory.set('b', 2);
    expect(memory.size).toBe(1);
  });

  it('lets the oldest go when it is full, counted from when it was last told', () => {
    const memory = new BriefMemory<number>(HOUR_MS, 2);
    memory.set('a', 1);
    memory.set('b', 2);
    memory.set('a', 3);
    memory.set('c', 4);
    expect(memory.size).toBe(2);
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([3, undefined, 4]);
  });

  it('forgets what it is told to', () => {
    const memory = new BriefMemory<number>(HOUR_MS, 10);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) memory.set(key, value);
    memory.deleteWhere((value) => value === 2);
    memory.delete('c');
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([1, undefined, undefined]);
    memory.clear();
    expect(memory.size).toBe(0);
  });
});
