import { fixClock, newId } from './clock.js';

const millisecondsOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
const isSorted = (ids: readonly string[]): boolean => ids.every((id, i) => i === 0 || (ids[i - 1] ?? '') < id);

describe('newId', () => {
  // Later than any id of this process so far.
  let time = Date.now() + 3_600_000;
  let restore = (): void => undefined;
  beforeAll(() => (restore = fixClock({ epochMs: () => time })));
  afterAll(() => restore());

  it('is a UUIDv7 of the present millisecond', () => {
    time += 1000;
    const id = newId();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(millisecondsOf(id)).toBe(time);
  });

  it('sorts in the order of making, also within one millisecond and beyond what its counter holds', () => {
    time += 1000;
    const ids = Array.from({ length: 20_000 }, newId);
    expect(isSorted(ids)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(millisecondsOf(ids.at(-1) ?? '') - time).toBeLessThanOrEqual(10);
  });

  it('goes on sorting while the clock steps back, and follows one that was set right', () => {
    time += 1000;
    const before = newId();
    time -= 500;
    const stepped = newId();
    time += 1000;
    const after = newId();
    expect(isSorted([before, stepped, after])).toBe(true);
    expect(millisecondsOf(after)).toBe(time);
    time -= 86_400_000;
    expect(millisecondsOf(newId())).toBe(time);
  });
});
