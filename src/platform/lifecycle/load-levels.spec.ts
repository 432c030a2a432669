import { LoadLevels } from './load-levels.js';

const limits = [10, 20, 30] as const;
const after = (levels: LoadLevels, value: number, seconds: number) => {
  for (let i = 0; i < seconds; i++) levels.observe([{ value, limits }]);
  return levels.level;
};

it('ignores a spike and rises when the limit stays exceeded', () => {
  const levels = new LoadLevels();
  expect(after(levels, 25, 1)).toBe(0);
  expect(after(levels, 5, 1)).toBe(0);
  expect(after(levels, 15, 2)).toBe(1);
  expect(after(levels, 25, 2)).toBe(2);
});

it('latches only after five seconds above the last limit', () => {
  const levels = new LoadLevels();
  expect(after(levels, 31, 4)).toBe(2);
  expect(after(levels, 31, 1)).toBe(3);
});

it('falls a step after ten seconds below half, and not between half and the limit', () => {
  const levels = new LoadLevels();
  after(levels, 31, 5);
  expect(after(levels, 16, 60)).toBe(3);
  expect(after(levels, 14, 9)).toBe(3);
  expect(after(levels, 14, 1)).toBe(2);
  expect(after(levels, 4, 10)).toBe(1);
  expect(after(levels, 4, 10)).toBe(0);
});

it('takes the worst of several signals, and one without a limit never counts', () => {
  const levels = new LoadLevels();
  const worst = { value: 99, limits: [80, 90, Infinity] } as const;
  for (let i = 0; i < 60; i++) levels.observe([{ value: 0, limits }, worst]);
  expect(levels.level).toBe(2);
  for (let i = 0; i < 9; i++)
    levels.observe([
      { value: 0, limits },
      { ...worst, value: 0 },
    ]);
  expect(levels.level).toBe(2);
});
