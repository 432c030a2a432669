import { Coalescer } from './coalescer.js';

const held = () => {
  const batches: { requests: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const coalescer = new Coalescer<number, string>(
    (requests) =>
      new Promise((resolve, reject) =>
        batches.push({ requests, answer: () => resolve(requests.map((n) => `answer ${n}`)), fail: reject }),
      ),
  );
  return { batches, coalescer };
};

const turn = () => new Promise(setImmediate);

it('begins at once, and joins what arrives while it is busy', async () => {
  const { batches, coalescer } = held();
  const first = coalescer.ask(1);
  const others = [coalescer.ask(2), coalescer.ask(3)];
  expect(batches.map(({ requests }) => requests)).toEqual([[1]]);
  batches[0]?.answer();
  expect(await first).toBe('answer 1');
  await turn();
  expect(batches.map(({ requests }) => requests)).toEqual([[1], [2, 3]]);
  batches[1]?.answer();
  expect(await Promise.all(others)).toEqual(['answer 2', 'answer 3']);
});

it('fails all of one batch and none of the next', async () => {
  const { batches, coalescer } = held();
  const first = coalescer.ask(1);
  const second = coalescer.ask(2);
  batches[0]?.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await turn();
  batches[1]?.answer();
  expect(await second).toBe('answer 2');
  await turn();
  const third = coalescer.ask(3);
  batches[2]?.answer();
  expect(await third).toBe('answer 3');
});

it('forms statements of at most 500', async () => {
  const { batches, coalescer } = held();
  const all = Array.from({ length: 1002 }, (_, i) => coalescer.ask(i));
  for (const size of [1, 500, 500, 1]) {
    const batch = batches.shift();
    expect(batch?.requests).toHaveLength(size);
    batch?.answer();
    await turn();
  }
  expect(await Promise.all(all)).toHaveLength(1002);
});
