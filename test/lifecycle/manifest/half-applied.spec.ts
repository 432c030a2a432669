import fc from 'fast-check';
import { Client } from 'pg';
import { compareObjects } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import { readLiveObjects } from '../../../src/platform/database/lifecycle/manifest-read.js';
import { repair } from '../../../src/platform/database/lifecycle/repair.js';
import { emptyDatabase } from '../../support/database.js';
import { createSample, SAMPLE } from './sample-schema.js';
import type { Sample } from './sample-schema.js';

const RUNS = Number(process.env.HALF_APPLIED_RUNS ?? 12);

/** What some statements of the sample made and others did not, as a person or a crash may leave it. */
describe('a schema of which only some statements were applied', () => {
  let sample: Sample;
  beforeAll(async () => void (sample = await createSample()));
  afterAll(() => sample.drop());

  it('is brought to the manifest, or the rest is named', async () => {
    const subset = fc.subarray(SAMPLE.map((_, index) => index));
    const property = fc.asyncProperty(subset, async (chosen) => {
      const database = await emptyDatabase();
      const client = new Client({ connectionString: database.url });
      await client.connect();
      try {
        for (const index of chosen) await client.query(SAMPLE[index] ?? '').catch(() => undefined); // lacks what it needs
        const options = { schema: 'public', audit: () => Promise.resolve() };
        const report = await repair(client, sample.manifest, options);
        const live = await readLiveObjects(client, 'public');
        const { fatal, policy } = compareObjects(sample.manifest.objects, live, { drift: 'warn' });
        const named = new Set(report.refused.map(({ object }) => object));
        // A table secured without its policies is different, not missing: comparison names it and nobody alters it.
        const silent = [...fatal, ...policy].filter(
          ({ object }) => !named.has(object) && !object.startsWith('row security'),
        );
        expect(silent).toEqual([]);
        expect((await repair(client, sample.manifest, options)).executed).toBe(0);
      } finally {
        await client.end();
        await database.drop();
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
