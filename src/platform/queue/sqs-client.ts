import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import { budgetRetries, RetryBudget } from '../lifecycle/retry-budget.js';
import { measured } from './measured.js';

export type SqsSdk = typeof import('@aws-sdk/client-sqs');

/** The longest a receive call waits for work, in s. */
export const LONG_POLL_S = 10;
const CONNECT_MS = 2000;
const ANSWER_MS = 5000;
const ATTEMPTS = 3;

/** One piece of work as a message: ids, never bodies. */
export const sqsBody = z.object({
  id: z.string(),
  queue: z.string(),
  key: z.string(),
  payload: z.record(z.string(), z.unknown()),
});
export type SqsBody = z.output<typeof sqsBody>;

/** One queue and its dead-letter queue, with the limits of every call. The SDK is the only layer that retries. */
export class SqsQueue {
  readonly receiving: SQSClient;
  private readonly asking: SQSClient;

  private constructor(
    private readonly sdk: SqsSdk,
    readonly url: string,
    config: Config,
  ) {
    const budget = new RetryBudget('queue');
    this.asking = createClient(sdk, config, ANSWER_MS);
    this.receiving = createClient(sdk, config, LONG_POLL_S * 1000 + ANSWER_MS);
    for (const client of [this.asking, this.receiving]) {
      budgetRetries(client, budget);
      client.middlewareStack.add(
        (next, { commandName = '' }) =>
          (call) =>
            measured('aws_sqs', commandName.replace(/Command$/, ''), () => next(call)),
        { step: 'initialize', name: 'measured' },
      );
    }
  }

  static async open(url: string, config: Config): Promise<SqsQueue> {
    return new SqsQueue(await import('@aws-sdk/client-sqs'), url, config);
  }

  /** Ten at most. Answers those that are not in the queue, and whether they ever can be. */
  async send(bodies: readonly SqsBody[]): Promise<{ id: string; refused: boolean; reason: string }[]> {
    const fifo = this.url.endsWith('.fifo');
    const Entries = bodies.map((body, i) => ({
      Id: String(i),
      MessageBody: JSON.stringify(body),
      // No order is wanted: a group of its own lets nobody wait for a neighbour.
      ...(fifo ? { MessageGroupId: body.id, MessageDeduplicationId: body.id } : {}),
    }));
    const { Failed = [] } = await this.asking.send(
      new this.sdk.SendMessageBatchCommand({ QueueUrl: this.url, Entries }),
    );
    return Failed.map(({ Id, SenderFault, Code }) => ({
      id: bodies[Number(Id)]?.id ?? '',
      refused: SenderFault === true,
      reason: `sqs: ${Code ?? 'failed'}`,
    }));
  }

  /** Approximate, as SQS counts. */
  async depth(): Promise<{ waiting: number; later: number }> {
    const { Attributes = {} } = await this.asking.send(
      new this.sdk.GetQueueAttributesCommand({
        QueueUrl: this.url,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed } =
      Attributes;
    return {
      waiting: Number(ApproximateNumberOfMessages ?? 0),
      later: Number(ApproximateNumberOfMessagesNotVisible ?? 0) + Number(ApproximateNumberOfMessagesDelayed ?? 0),
    };
  }

  /** Where the queue moves what is received too often; undefined without a redrive policy. */
  async redrive(): Promise<{ url: string; maxReceives: number } | undefined> {
    const { Attributes = {} } = await this.asking.send(
      new this.sdk.GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ['RedrivePolicy'] }),
    );
    const { RedrivePolicy } = Attributes;
    if (RedrivePolicy === undefined) return undefined;
    const { deadLetterTargetArn, maxReceiveCount } = redrivePolicy.parse(JSON.parse(RedrivePolicy));
    const [account, name] = deadLetterTargetArn.split(':').slice(-2);
    const { QueueUrl } = await this.asking.send(
      new this.sdk.GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }),
    );
    return QueueUrl === undefined ? undefined : { url: QueueUrl, maxReceives: maxReceiveCount };
  }

  close(): void {
    this.asking.destroy();
    this.receiving.destroy();
  }
}

const redrivePolicy = z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number().int().min(1) });

function createClient(
  sdk: SqsSdk,
  { AWS_REGION, SQS_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }: Config,
  answerMs: number,
): SQSClient {
  return new sdk.SQSClient({
    region: AWS_REGION,
    // A queue's URL names the endpoint, unless there is one to go through.
    ...(SQS_ENDPOINT === undefined ? {} : { endpoint: SQS_ENDPOINT, useQueueUrlAsEndpoint: false }),
    ...(AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined
      ? {}
      : { credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } }),
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      socketTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
  });
}
