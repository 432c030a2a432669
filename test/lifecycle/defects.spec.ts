import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const built = (path: string) => JSON.stringify(pathToFileURL(`dist/${path}`).href);

/** A process that serves, and in which two things are thrown where nobody waits for them. */
const program = `
  import { createLog } from ${built('platform/logging/create-log.js')};
  import { surviveDefects } from ${built('platform/errors/report-unexpected.js')};
  import { metrics } from ${built('platform/logging/metrics.js')};
  const log = await createLog({ level: 'info', pretty: false, base: {} });
  surviveDefects(log);
  void Promise.reject(new TypeError('nobody awaits this'));
  setTimeout(() => { throw new RangeError('nobody catches this'); }, 1);
  setTimeout(async () => {
    const { values } = await metrics.unexpectedErrors.get();
    log.info('test.done', { count: values[0].value });
  }, 20);
`;

it('survives what is thrown where nobody waits for it, counts it, and logs it with a fingerprint', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const fingerprint = expect.stringMatching(/^[0-9a-f]{12}$/);
  expect(lines).toMatchObject([
    { event: 'process.unhandled', level: 'error', from: 'unhandledRejection', fingerprint, err: { type: 'TypeError' } },
    { event: 'process.unhandled', level: 'error', from: 'uncaughtException', fingerprint, err: { type: 'RangeError' } },
    { event: 'test.done', count: 2 },
  ]);
});
