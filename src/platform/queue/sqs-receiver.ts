import type { Message } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import type { Log } from '../logging/log.js';
import { CLAIM_S } from './attempts.js';
import { RetryLater } from './delayed-work.js';
import { LONG_POLL_S, type SqsQueue } from './sqs-client.js';

const BATCH = 10;
const MAX_PAUSE_S = 11 * 3600;

interface Receiver {
  url: string;
  /** Resolves when the message is done with; rejects with `RetryLater` when it is to come again. */
  handle: (message: Message) => Promise<void>;
  /** Holds back the next receive until it resolves. */
  ready: (signal: AbortSignal) => Promise<void>;
}

/** Receives one queue until stopped. What is worked on stays invisible for as long as it takes. */
export function receive(queue: SqsQueue, { url, handle, ready }: Receiver, log: Log): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const pauses = new WeakMap<Message, number>();
  const open = new Set<Message>();
  let idle: () => void = () => undefined;
  const consumer = Consumer.create({
    queueUrl: url,
    sqs: queue.receiving,
    batchSize: BATCH,
    waitTimeSeconds: LONG_POLL_S,
    visibilityTimeout: CLAIM_S,
    heartbeatInterval: CLAIM_S / 3,
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    suppressFifoWarning: true,
    authenticationErrorTimeout: 2000,
    pollingWaitTimeMs: 0,
    preReceiveMessageCallback: () => ready(stopping.signal),
    terminateVisibilityTimeout: ([message]) => (message && pauses.get(message)) ?? 0,
    handleMessage: async (message) => {
      try {
        if (stopping.signal.aborted) throw new RetryLater(0, 'stopping');
        await handle(message);
        return message;
      } catch (error) {
        const afterMs = error instanceof RetryLater ? error.afterMs : CLAIM_S * 1000;
        pauses.set(message, Math.min(Math.ceil(afterMs / 1000), MAX_PAUSE_S));
        throw error;
      }
    },
  });
  const over = (message: Message): void => {
    open.delete(message);
    if (open.size === 0) idle();
  };
  consumer.on('message_received', (message) => open.add(message));
  consumer.on('message_processed', over);
  consumer.on('processing_error', (error, message) => {
    if (!(error instanceof RetryLater)) log.warn('work.not_recorded', { queue: 'sqs', err: error });
    over(message);
  });
  consumer.on('error', (error, message) => {
    if (!stopping.signal.aborted) log.warn('queue.error', { driver: 'sqs', err: error });
    for (const one of [message ?? []].flat()) over(one);
  });
  consumer.start();
  return {
    stop: async () => {
      stopping.abort();
      if (open.size > 0) await new Promise<void>((resolve) => (idle = resolve));
      consumer.stop({ abort: true });
    },
  };
}
