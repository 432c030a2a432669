import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspectAws, inspectParameters } from '../../../src/cli/aws-checks.js';
import { loadConfig } from '../../../src/platform/config/config.js';
import { startStrictS3, type StrictS3 } from '../../support/s3.js';
import { freePort } from '../../support/server-process.js';
import { TestSqs } from '../../support/sqs.js';

/** What `parley doctor` says about AWS, over the wire: a store that checks signatures, a queue, and answers as Amazon words them. */
let s3: StrictS3;
let sqs: TestSqs;
let amazon: Server;
let amazonUrl: string;
let answer: { status: number; body: object; headers?: Record<string, string> } | 'none';
const kept = { ...process.env };
beforeAll(async () => {
  [s3, sqs] = await Promise.all([startStrictS3(), TestSqs.start()]);
  amazon = createServer((request, response) => {
    request.resume();
    if (answer === 'none') return;
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => amazon.listen(0, '127.0.0.1', resolve));
  amazonUrl = `http://127.0.0.1:${(amazon.address() as AddressInfo).port}`;
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  // Nobody asks the metadata service of the machine that runs the tests.
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL_SSM: amazonUrl,
  });
});
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (!(name in kept)) delete process.env[name];
  Object.assign(process.env, kept);
  amazon.closeAllConnections();
  amazon.close();
  await Promise.all([s3.stop(), sqs.stop()]);
});
afterEach(() => {
  s3.gate.trouble = undefined;
  sqs.set('none');
});

const look = async (environment: Record<string, string | undefined>) => {
  const config = await loadConfig({ NODE_ENV: 'test', DATABASE_URL: 'postgresql://a@b/c', ...environment });
  const [finding, ...more] = await inspectAws(config);
  expect(more).toEqual([]);
  expect(JSON.stringify(finding)).not.toContain('secret');
  return finding;
};
const failed = (check: string, fault: string, next: RegExp) => ({
  check,
  result: 'failed',
  message: expect.stringMatching(new RegExp(`^${fault}: `)),
  next: expect.stringMatching(next),
});
const keyless = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

it('nothing of AWS is configured: nothing is asked', async () => {
  expect(await inspectAws(await loadConfig({ NODE_ENV: 'test', DATABASE_URL: 'postgresql://a@b/c' }))).toEqual([]);
  expect(await inspectParameters({ APP_SECRET: 'x' })).toEqual([]);
});

describe('S3', () => {
  it('answers', async () => {
    expect(await look(s3.environment)).toMatchObject({ check: 'storage', result: 'ok' });
  });

  it.each([
    ['no credentials', 'no_credentials', /role.*AWS_ACCESS_KEY_ID/, keyless],
    ['a secret of another key', 'wrong_key', /AWS_SECRET_ACCESS_KEY/, { AWS_SECRET_ACCESS_KEY: 'other-secret' }],
    ['a key that is unknown', 'wrong_key', /AWS_ACCESS_KEY_ID/, { AWS_ACCESS_KEY_ID: 'unknown' }],
    ['no such bucket', 'not_found', /S3_BUCKET_NAME/, { S3_BUCKET_NAME: 'elsewhere' }],
  ])('%s', async (_, fault, next, change) => {
    expect(await look({ ...s3.environment, ...change })).toMatchObject(failed('storage', fault, next));
  });

  it('nobody there', async () => {
    const S3_ENDPOINT = `http://127.0.0.1:${await freePort()}`;
    expect(await look({ ...s3.environment, S3_ENDPOINT })).toMatchObject(
      failed('storage', 'unreachable', /S3_ENDPOINT/),
    );
  });

  it.each([
    [{ status: 403, code: 'AccessDenied' }, 'denied', /s3:ListBucket/],
    [{ status: 403, code: 'RequestTimeTooSkewed' }, 'clock', /time service/],
    [{ status: 400, code: 'ExpiredToken' }, 'expired', /Renew/],
    [{ status: 301, code: 'PermanentRedirect' }, 'wrong_region', /AWS_REGION/],
    ['silent' as const, 'timeout', /network/],
  ])('%j', async (trouble, fault, next) => {
    s3.gate.trouble = trouble;
    expect(await look(s3.environment)).toMatchObject(failed('storage', fault, next));
  });

  it('the region in which it is, when the service names it', async () => {
    answer = { status: 400, body: {}, headers: { 'x-amz-bucket-region': 'eu-west-3' } };
    expect(await look({ ...s3.environment, S3_ENDPOINT: amazonUrl })).toMatchObject(
      failed('storage', 'wrong_region', /AWS_REGION=eu-west-3/),
    );
  });
});

describe('SQS', () => {
  it('answers', async () => {
    expect(await look(sqs.environment)).toMatchObject({ check: 'queue', result: 'ok' });
  });

  it.each([
    ['no credentials', 'no_credentials', /role/, keyless],
    ['no such queue', 'not_found', /SQS_QUEUE_URL/, { SQS_QUEUE_URL: 'http://127.0.0.1:1/000000000000/elsewhere' }],
    [
      'a queue of another region',
      'wrong_region',
      /AWS_REGION=eu-west-1/,
      { SQS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/000000000000/parley' },
    ],
  ])('%s', async (_, fault, next, change) => {
    expect(await look({ ...sqs.environment, ...change })).toMatchObject(failed('queue', fault, next));
  });

  it.each([
    ['denied', 'expired', /Renew/],
    ['down', 'unreachable', /SQS_ENDPOINT/],
    ['slow', 'timeout', /network/],
  ] as const)('the way to it is %s', async (fault, expected, next) => {
    sqs.set(fault);
    expect(await look(sqs.environment)).toMatchObject(failed('queue', expected, next));
  });

  it.each([
    ['SignatureDoesNotMatch', 'wrong_key'],
    ['InvalidClientTokenId', 'wrong_key'],
    ['AccessDeniedException', 'denied'],
  ])('refused with %s', async (code, fault) => {
    answer = { status: 403, body: { __type: `com.amazon.coral.service#${code}`, message: 'test-secret' } };
    const environment = { ...sqs.environment, SQS_ENDPOINT: amazonUrl };
    expect(await look(environment)).toMatchObject(failed('queue', fault, /AWS_|sqs:GetQueueAttributes/));
  });
});

describe('Parameter Store', () => {
  const look = async () => {
    const [finding] = await inspectParameters({ APP_SECRET: 'ssm:/parley/app-secret' });
    return finding;
  };
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test-secret' };
  const refusal = (code: string) => ({ status: 400, body: { __type: code, message: 'test-secret' } });

  it('without credentials', async () => {
    expect(await look()).toMatchObject(failed('parameter APP_SECRET', 'no_credentials', /role/));
  });

  it('answers; what it says is not repeated', async () => {
    Object.assign(process.env, keys);
    answer = { status: 200, body: { Parameter: { Value: 'the-secret-itself' } } };
    const finding = await look();
    expect(finding).toMatchObject({ check: 'parameter APP_SECRET', result: 'ok' });
    expect(JSON.stringify(finding)).not.toContain('the-secret-itself');
  });

  it.each([
    ['ParameterNotFound', 'not_found', /APP_SECRET/],
    ['AccessDeniedException', 'denied', /ssm:GetParameter/],
    ['UnrecognizedClientException', 'wrong_key', /AWS_ACCESS_KEY_ID/],
  ])('refused with %s', async (code, fault, next) => {
    Object.assign(process.env, keys);
    answer = refusal(code);
    expect(await look()).toMatchObject(failed('parameter APP_SECRET', fault, next));
  });
});
