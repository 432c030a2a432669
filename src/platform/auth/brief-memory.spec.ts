import { jest } from '@jest/globals';
import { BriefMemory } from './brief-memory.js';

describe('a brief memory', () => {
  let at = 0;
  beforeEach(() => {
    at = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => at);
  });
  afterEach(() => jest.restoreAllMocks());

  it('forgets at its time, and lets go of it with the next entry', () => {
    const memory = new BriefMemory<number>(1000, 10);
    memory.set('a', 1);
    at = 999;
    expect(memory.get('a')).toBe(1);
    at = 1000;
    expect(memory.get('a')).toBeUndefined();
    memory.set('b', 2);
    expect(memory.size).toBe(1);
  });

  it('counts from when it was last told', () => {
    const memory = new BriefMemory<number>(1000, 10);
    memory.set('a', 1);
    memory.set('b', 2);
    at = 600;
    memory.set('a', 3);
    at = 1200;
    expect([memory.get('a'), memory.get('b')]).toEqual([3, undefined]);
    memory.set('c', 4);
    expect(memory.size).toBe(2);
  });

  it('lets the oldest go when it is full', () => {
    const memory = new BriefMemory<number>(1000, 2);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) memory.set(key, value);
    expect(memory.size).toBe(2);
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([undefined, 2, 3]);
  });

  it('forgets what it is told to', () => {
    const memory = new BriefMemory<number>(1000, 10);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) memory.set(key, value);
    memory.deleteWhere((value) => value === 2);
    memory.delete('c');
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([1, undefined, undefined]);
    memory.clear();
    expect(memory.size).toBe(0);
  });
});
