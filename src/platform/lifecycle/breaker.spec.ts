import { pino } from 'pino';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { Breaker, BreakerOpenError } from './breaker.js';

class Refusal extends Error {}
const down = () => Promise.reject(new Error('down'));
const fine = () => Promise.resolve('fine');
const refuse = () => Promise.reject(new Refusal());

let lines: string[];
let breaker: Breaker;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  lines = [];
  const log = new Log(
    pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { event: string }).event) }),
  );
  breaker = new Breaker('test', (error) => !(error instanceof Refusal), log);
});
afterEach(() => jest.useRealTimers());

const outcome = (work: () => Promise<string>) =>
  breaker.run(work).catch((error: unknown) => (error instanceof BreakerOpenError ? 'open' : 'failed'));
const times = async (count: number, work: () => Promise<string>) => {
  for (let i = 0; i < count; i++) await outcome(work);
};
const gauge = async () =>
  (await metrics.breakerState.get()).values.find(({ labels }) => labels.dependency === 'test')?.value;

it('opens after five failures in a row, and asks no more', async () => {
  await times(4, down);
  expect(await outcome(fine)).toBe('fine');
  await times(5, down);
  const asked = jest.fn(fine);
  expect(await outcome(asked)).toBe('open');
  expect(asked).not.toHaveBeenCalled();
  expect([breaker.state, await gauge(), lines]).toEqual(['open', 2, ['breaker.open']]);
});

it('opens when more than half of twenty calls within ten seconds failed', async () => {
  for (let i = 0; i < 6; i++) {
    await times(2, down);
    await times(1, fine);
  }
  expect(breaker.state).toBe('closed');
  await times(2, down);
  expect(breaker.state).toBe('open');
});

it('lets one call try after five seconds, which decides', async () => {
  await times(5, down);
  jest.advanceTimersByTime(4999);
  expect(await outcome(fine)).toBe('open');
  jest.advanceTimersByTime(1);
  expect(await outcome(down)).toBe('failed');
  expect(await outcome(fine)).toBe('open');
  jest.advanceTimersByTime(5000);
  expect(await outcome(fine)).toBe('fine');
  expect([breaker.state, await gauge(), lines]).toEqual(['closed', 0, ['breaker.open', 'breaker.closed']]);
});

it('takes a refusal for an answer, passes it on, and counts it as a success', async () => {
  await expect(breaker.run(refuse)).rejects.toThrow(Refusal);
  await times(4, down);
  await times(1, refuse);
  await times(4, down);
  expect(breaker.state).toBe('closed');
  await times(1, down);
  jest.advanceTimersByTime(5000);
  await expect(breaker.run(refuse)).rejects.toThrow(Refusal);
  expect(breaker.state).toBe('closed');
});
