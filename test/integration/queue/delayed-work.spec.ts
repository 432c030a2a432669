import { randomUUID } from 'node:crypto';
import { metrics } from '../../../src/platform/logging/metrics.js';
import { RetryLater } from '../../../src/platform/queue/delayed-work.js';
import { TestSqs } from '../../support/sqs.js';
import { drivers, eventually, QueueWorld, Recorder, type TestQueue } from './support.js';

/** What is measured of each; the outbox is the database's own. */
const callsOf = {
  outbox: [],
  pgboss: ['pgboss insert ok'],
  sqs: ['aws_sqs SendMessageBatch ok', 'aws_sqs ReceiveMessage ok'],
};

let world: QueueWorld;
beforeAll(async () => {
  world = await QueueWorld.start();
});
afterAll(() => world.stop());

const open = new Set<TestQueue>();
afterEach(async () => {
  for (const queue of open) await queue.stop();
  open.clear();
});

/** The promise of DelayedWork, kept by every driver. */
describe.each(drivers)('delayed work by %s', (driver) => {
  const start = async (...workers: Recorder[]): Promise<TestQueue> => {
    const queue = await world.open(driver, workers);
    open.add(queue);
    return queue;
  };
  const fresh = (): string => `test.${randomUUID()}`;
  const item = (queue: string, key: string, delayMs = 0) => ({ queue, key, payload: { of: key }, delayMs });
  const waiting = async ({ work }: TestQueue): Promise<number> =>
    (await work.backlog()).reduce((sum, one) => sum + one.waiting + one.later, 0);

  it('hands over once what was added, and forgets it', async () => {
    const worker = new Recorder(fresh());
    const queue = await start(worker);
    await queue.work.add([item(worker.queue, 'a'), item(worker.queue, 'b')]);
    const got = await worker.until(({ length }) => length === 2);
    expect(got.toSorted((x, y) => (x.key < y.key ? -1 : 1))).toEqual([
      { id: expect.any(String), key: 'a', payload: { of: 'a' }, attempt: 1, last: false },
      { id: expect.any(String), key: 'b', payload: { of: 'b' }, attempt: 1, last: false },
    ]);
    expect(new Set(got.map(({ id }) => id)).size).toBe(2);
    await eventually(
      () => waiting(queue),
      (n) => n === 0,
    );
    expect(worker.got).toHaveLength(2);
    const calls = (await metrics.queueCallSeconds.get()).values.map(({ labels }) => labels);
    const named = calls.map(
      ({ messaging_system, messaging_operation_name, result }) =>
        `${messaging_system} ${messaging_operation_name} ${result}`,
    );
    expect(named).toEqual(expect.arrayContaining(callsOf[driver]));
  });

  it('exists if and only if the transaction commits that adds it', async () => {
    const worker = new Recorder(fresh());
    const { work } = await start(worker);
    const failed = world.database.tx(async (tx) => {
      await work.add([item(worker.queue, 'rolled back')], tx);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    await world.database.tx((tx) => work.add([item(worker.queue, 'committed')], tx));
    await worker.until(({ length }) => length > 0);
    expect(worker.keys).toEqual(['committed']);
  });

  it('waits for what is due later, and for nothing else meanwhile', async () => {
    const worker = new Recorder(fresh());
    const { work } = await start(worker);
    await work.add([item(worker.queue, 'later', 1500)]);
    await work.add([item(worker.queue, 'now')]);
    await worker.until(({ length }) => length === 2);
    expect(worker.keys).toEqual(['now', 'later']);
  });

  it('repeats what failed, when its handler says, under the same id', async () => {
    const worker = new Recorder(fresh(), ({ attempt }) => {
      if (attempt === 1) throw new RetryLater(0, 'at once');
      if (attempt === 2) throw new Error('in a while');
    });
    const { work } = await start(worker);
    await work.add([item(worker.queue, 'stubborn')]);
    const got = await worker.until(({ length }) => length === 3);
    expect(got.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(got.map(({ id }) => id)).size).toBe(1);
  });

  it('gives up in the end, lets the others pass, and takes it up again on demand', async () => {
    let poisonous = true;
    const worker = new Recorder(fresh(), ({ key }) => {
      if (key === 'poison' && poisonous) throw new RetryLater(0, 'never');
    });
    const { work, letters } = await start(worker);
    await work.add([item(worker.queue, 'poison'), item(worker.queue, 'healthy')]);
    const [letter] = await eventually(
      () => letters.list(worker.queue, null, 10),
      ({ length }) => length > 0,
    );
    expect(worker.got.filter(({ key }) => key === 'poison').map(({ attempt, last }) => [attempt, last])).toEqual(
      Array.from({ length: 10 }, (_, i) => [i + 1, i === 9]),
    );
    expect(worker.keys).toContain('healthy');
    expect(letter).toMatchObject({
      queue: worker.queue,
      topic: `work.${worker.queue}`,
      payload: { key: 'poison', payload: { of: 'poison' } },
      reason: 'RetryLater: never',
      attempts: 10,
      replayedAt: null,
    });
    expect(await letters.depths()).toContainEqual(expect.objectContaining({ queue: worker.queue, deadLetters: 1 }));

    poisonous = false;
    const before = worker.got.length;
    expect(await world.database.tx((tx) => letters.replay(letter?.id ?? '', tx))).toBe(true);
    const got = await worker.until(({ length }) => length > before);
    expect(got.at(-1)).toMatchObject({ key: 'poison', payload: { of: 'poison' }, attempt: 1 });
    expect((await letters.list(worker.queue, null, 10))[0]?.replayedAt).toBeInstanceOf(Date);
    expect(await world.database.tx((tx) => letters.replay(randomUUID(), tx))).toBe(false);
  });

  it('runs no more at once than the worker wants', async () => {
    let running = 0;
    let most = 0;
    const worker = new Recorder(
      fresh(),
      async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
      },
      2,
    );
    const { work } = await start(worker);
    await work.add(Array.from({ length: 12 }, (_, i) => item(worker.queue, String(i))));
    await worker.until(({ length }) => length === 12);
    expect(most).toBe(2);
  });

  it('many processes share the work', async () => {
    const name = fresh();
    const workers = [new Recorder(name), new Recorder(name)];
    const [queue] = await Promise.all(workers.map((worker) => start(worker)));
    const keys = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));
    await queue?.work.add(keys.map((key) => item(name, key)));
    await eventually(
      () => Promise.resolve(workers.flatMap((worker) => worker.keys)),
      ({ length }) => length >= keys.length,
    );
    expect(workers.flatMap((worker) => worker.keys).toSorted()).toEqual(keys);
  });

  it('what a dead worker had taken comes again, under the same id', async () => {
    let release: () => void = () => undefined;
    const never = new Promise<void>((resolve) => (release = resolve));
    const worker = new Recorder(fresh(), ({ attempt }) => (attempt === 1 ? never : undefined));
    const { work } = await start(worker);
    await work.add([item(worker.queue, 'abandoned')]);
    await worker.until(({ length }) => length === 1);
    await eventually(
      () => world.abandon(driver, worker.queue).then(() => worker.got.length),
      (n) => n > 1,
    );
    expect(worker.got).toEqual([
      expect.objectContaining({ attempt: 1 }),
      expect.objectContaining({ id: worker.got[0]?.id, key: 'abandoned', attempt: 2 }),
    ]);
    release();
  });

  it('an orderly end waits for what runs, and leaves the rest to others', async () => {
    const worker = new Recorder(fresh(), () => released, 1);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const queue = await start(worker);
    await queue.work.add([item(worker.queue, 'first'), item(worker.queue, 'second')]);
    await worker.until(({ length }) => length === 1);
    open.delete(queue);
    let ended = false;
    const end = queue.stop().then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    release();
    await end;
    expect(worker.got).toHaveLength(1);
    const next = new Recorder(worker.queue);
    await start(next);
    await next.until(({ length }) => length === 1);
    expect(new Set([...worker.keys, ...next.keys])).toEqual(new Set(['first', 'second']));
  });
});

it('a FIFO queue of SQS does as well', async () => {
  const sqs = await TestSqs.start({ name: 'parley-test.fifo' });
  try {
    const worker = new Recorder(`test.${randomUUID()}`, ({ key, attempt }) => {
      if (key === 'first' && attempt === 1) throw new RetryLater(0, 'once more');
    });
    const queue = await world.open('sqs', [worker], sqs);
    open.add(queue);
    const keys = ['first', 'second', 'third'];
    await queue.work.add(keys.map((key) => ({ queue: worker.queue, key, payload: {} })));
    await worker.until(({ length }) => length === 4);
    expect(new Set(worker.keys)).toEqual(new Set(keys));
    await queue.stop();
    open.delete(queue);
  } finally {
    await sqs.stop();
  }
});
