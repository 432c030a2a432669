import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SigningGate } from './signing-gate.js';

/** An S3 server of its own, with one bucket. */
export interface TestS3 {
  url: string;
  bucket: string;
  /** What Parley needs to use it. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test-secret' };

/** On a free port, or again on the `port` of one that was stopped. */
export async function startS3(bucket = 'parley-test', port = 0): Promise<TestS3> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 's3-server.mjs'), bucket, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${line.toString().trim()}`;
  return {
    url,
    bucket,
    environment: {
      S3_BUCKET_NAME: bucket,
      S3_ENDPOINT: url,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** One that checks signatures, and can be made to fail. */
export interface StrictS3 extends TestS3 {
  gate: SigningGate;
}

export async function startStrictS3(bucket = 'parley-test'): Promise<StrictS3> {
  const s3 = await startS3(bucket);
  const gate = await SigningGate.start(s3.url, CREDENTIALS);
  return {
    ...s3,
    url: gate.url,
    environment: { ...s3.environment, S3_ENDPOINT: gate.url },
    gate,
    stop: async () => {
      await gate.stop();
      await s3.stop();
    },
  };
}
