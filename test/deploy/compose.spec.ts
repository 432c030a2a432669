import { compose } from './support/workloads.js';

const images = Object.entries(compose.services).map(([name, { image }]) => [name, image] as const);

it.each(images)('%s: the image is pinned', (_, image) => {
  expect(image).toMatch(/^[\w./-]+:[\w.-]*\d[\w.-]*$/);
  expect(image).not.toContain('latest');
});

it('whoever waits, waits for a service that can say when it is healthy', () => {
  for (const { depends_on: dependencies = {} } of Object.values(compose.services)) {
    for (const [name, condition] of Object.entries(dependencies)) {
      const service = compose.services[name];
      expect(service).toBeDefined();
      if ((condition as { condition: string }).condition === 'service_healthy')
        expect(service?.healthcheck).toBeDefined();
    }
  }
});

it('opens ports on this machine alone', () => {
  for (const { ports = [] } of Object.values(compose.services))
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});
