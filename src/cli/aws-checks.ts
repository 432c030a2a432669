import type { Config } from '../platform/config/config.js';
import { readParameter } from '../platform/config/parameter-store.js';
import { settings } from '../platform/config/settings.js';
import type { Finding } from '../platform/database/lifecycle/doctor.js';
import { awsFailure, type AwsThing } from './aws-failure.js';

const limits = {
  // Once: who asks waits for the answer.
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, socketTimeout: 5000, throwOnRequestTimeout: true },
};

/** What is configured of S3 and SQS: whether it can be reached and used with these credentials. */
export async function inspectAws(config: Config): Promise<Finding[]> {
  const checks = [bucketCheck(config), queueCheck(config)].filter((check) => check !== undefined);
  return Promise.all(checks.map(inspect));
}

/** Every value `ssm:/path` of the environment. Without them there is no configuration to look at. */
export async function inspectParameters(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const region = env['AWS_REGION'] ?? 'us-east-1';
  const named = Object.keys(settings).filter((name) => env[name]?.startsWith('ssm:'));
  return Promise.all(
    named.map((name) => {
      const path = (env[name] ?? '').slice('ssm:'.length);
      const thing = { what: `parameter ${path}`, permission: 'ssm:GetParameter', named: name, region };
      return inspect({ check: `parameter ${name}`, thing, ask: () => readParameter(path, region) });
    }),
  );
}

interface Check {
  check: string;
  thing: AwsThing;
  ask: () => Promise<unknown>;
}

async function inspect({ check, thing, ask }: Check): Promise<Finding> {
  try {
    await ask();
    return { check, result: 'ok', message: `${thing.what} answers`, next: '' };
  } catch (error) {
    const { fault, message, next } = awsFailure(error, thing);
    return { check, result: 'failed', message: `${fault}: ${message}`, next };
  }
}

function bucketCheck(config: Config): Check | undefined {
  const { S3_BUCKET_NAME: bucket, S3_ENDPOINT: endpoint, AWS_REGION: region } = config;
  if (bucket === undefined) return undefined;
  const thing = {
    what: `bucket "${bucket}"`,
    permission: 's3:ListBucket',
    named: endpoint === undefined ? 'S3_BUCKET_NAME' : 'S3_BUCKET_NAME, S3_ENDPOINT',
    region,
  };
  return {
    check: 'storage',
    thing,
    ask: async () => {
      const { S3Client, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
      const client = new S3Client({
        ...limits,
        region,
        forcePathStyle: config.S3_FORCE_PATH_STYLE,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...keysOf(config),
      });
      // The right that HeadBucket needs, and an answer with a body that says why it is refused.
      await client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 })).finally(() => client.destroy());
    },
  };
}

function queueCheck(config: Config): Check | undefined {
  const { SQS_QUEUE_URL: url, SQS_ENDPOINT: endpoint, AWS_REGION: region, QUEUE_DRIVER: driver = 'sqs' } = config;
  if (url === undefined || driver !== 'sqs') return undefined;
  const thing = {
    what: `queue "${url.split('/').at(-1)}"`,
    permission: 'sqs:GetQueueAttributes',
    named: endpoint === undefined ? 'SQS_QUEUE_URL' : 'SQS_QUEUE_URL, SQS_ENDPOINT',
    region,
  };
  return {
    check: 'queue',
    thing,
    ask: async () => {
      const there = /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(url)?.[1];
      // Amazon would only say that the signature is wrong.
      if (there !== undefined && there !== region) throw Object.assign(new Error('another region'), { Region: there });
      const { SQSClient, GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
      const client = new SQSClient({
        ...limits,
        region,
        ...(endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false }),
        ...keysOf(config),
      });
      await client
        .send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }))
        .finally(() => client.destroy());
    },
  };
}

const keysOf = ({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }: Config) =>
  accessKeyId === undefined || secretAccessKey === undefined ? {} : { credentials: { accessKeyId, secretAccessKey } };
