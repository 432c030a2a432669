import { TokenBucket } from './token-bucket.js';

const bucket = (points: number, seconds: number, burst: number) =>
  new TokenBucket('test', { points, seconds, burst, shared: 'never' });

it('lets a burst through, then refuses and says for how long', () => {
  const slow = bucket(1, 1000, 3);
  const taken = Array.from({ length: 4 }, () => slow.take('a'));
  expect(taken.map(({ exceeded }) => exceeded)).toEqual([false, false, false, true]);
  expect(taken.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
  expect(taken[3]?.resetMs).toBeGreaterThan(990_000);
  expect(taken[3]?.resetMs).toBeLessThanOrEqual(1_000_000);
});

it('lets the first of every key through, whatever the fractions of the clock', () => {
  // Just below 2^20 ms: the sum of clock and window has one binary digit less than the window.
  const slow = bucket(1, (2 ** 20 - 1) / 1000, 1);
  const refused = Array.from({ length: 50_000 }, (_, i) => slow.take(String(i))).filter(({ exceeded }) => exceeded);
  expect(refused).toEqual([]);
});

it('a refusal costs nothing', () => {
  const slow = bucket(1, 1000, 1);
  slow.take('a');
  const [first, second] = [slow.take('a'), slow.take('a')];
  expect(second.resetMs).toBeLessThanOrEqual(first.resetMs);
});

it('counts keys apart and can forget one', () => {
  const slow = bucket(1, 1000, 1);
  expect([slow.take('a'), slow.take('b'), slow.take('a')].map(({ exceeded }) => exceeded)).toEqual([
    false,
    false,
    true,
  ]);
  slow.forget('a');
  expect(slow.take('a').exceeded).toBe(false);
});

it('holds a bounded number of keys', () => {
  const slow = bucket(1, 1000, 1);
  for (let i = 0; i < 100_010; i++) slow.take(String(i));
  // The oldest were dropped, the newest are remembered.
  expect(slow.take('100009').exceeded).toBe(true);
  expect(slow.take('0').exceeded).toBe(false);
});
