import { startFauxqs } from 'fauxqs';

/** An S3 server of its own in this process, with one bucket. */
export interface TestS3 {
  url: string;
  bucket: string;
  /** What Parley needs to use it. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

export async function startS3(bucket = 'parley-test'): Promise<TestS3> {
  const server = await startFauxqs({ port: 0, logger: false });
  server.createBucket(bucket);
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    bucket,
    environment: {
      S3_BUCKET_NAME: bucket,
      S3_ENDPOINT: url,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test-secret',
    },
    stop: () => server.stop(),
  };
}
