import { Histogram, Registry } from 'prom-client';
import { between, nothing, plus, totals } from './traffic.rules.js';

const read = async (histogram: Histogram<'route' | 'status'>) =>
  totals(
    (await histogram.get()).values,
    ({ route }) => route !== 'probe',
    ({ status }) => Number(status) >= 500,
  );
const histogram = () =>
  new Histogram({
    name: 'h',
    help: 'h',
    labelNames: ['route', 'status'],
    buckets: [0.1, 0.2, 0.5],
    registers: [new Registry()],
  });

it('tells what happened between two readings, over all routes but the probes', async () => {
  const h = histogram();
  h.observe({ route: 'a', status: '200' }, 0.4);
  const before = await read(h);
  for (let i = 0; i < 90; i++) h.observe({ route: 'a', status: '200' }, 0.05);
  for (let i = 0; i < 10; i++) h.observe({ route: 'b', status: '500' }, 0.15);
  for (let i = 0; i < 500; i++) h.observe({ route: 'probe', status: '500' }, 9);
  const figures = between(before, await read(h));
  expect(figures).toMatchObject({ reqCount: 100, errCount: 10, errorRate: 10, latency: 60 });
  expect(figures.p50Latency).toBeCloseTo(55.56, 1);
  expect(figures.p95Latency).toBeCloseTo(150, 1);
  expect(figures.p99Latency).toBeCloseTo(190, 1);
});

it('has no figures without requests, and the last bound for what is beyond it', async () => {
  expect(between(nothing, nothing)).toMatchObject({ reqCount: 0, latency: 0, p95Latency: 0, errorRate: 0 });
  const h = histogram();
  h.observe({ route: 'a', status: '200' }, 60);
  expect(between(nothing, await read(h)).p95Latency).toBe(500);
});

it('adds two sources', async () => {
  const [a, b] = [histogram(), histogram()];
  a.observe({ route: 'a', status: '200' }, 0.05);
  b.observe({ route: 'a', status: '503' }, 0.15);
  expect(between(nothing, plus(await read(a), await read(b)))).toMatchObject({
    reqCount: 2,
    errCount: 1,
    latency: 100,
  });
});
