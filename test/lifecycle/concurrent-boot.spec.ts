import { DURABILITY_OFF, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, log_statement: 'all', log_line_prefix: '%a|%d|' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});
afterEach(() => scene.check());

const seedNames = ['roles', 'singletons'];
const onceEach = (n: number): Record<string, number> => ({
  ...Object.fromEntries(Object.keys(steps(n)).map((name) => [name, 1])),
  'seed roles': 1,
  'seed singletons': 1,
});

const replicas = 20;

it(`${replicas} replicas on an empty database: one does all of it once, the others wait, all are ready`, async () => {
  const build = await scene.build(steps(10));
  scene.manifest = await scene.manifestOf(steps(10));
  const started = await Promise.all(Array.from({ length: replicas }, () => scene.replica(build, { seedNames })));
  const results = await Promise.all(started.map((replica) => replica.ready()));
  expect(results.flatMap((result) => result.applied).sort()).toEqual(Object.keys(steps(10)));
  expect(results.flatMap((result) => result.seeded)).toEqual(seedNames);
  expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  expect(await scene.ledger()).toEqual(onceEach(10));
});
