import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' };

/**
 * What the way to the queue does to requests; `mute` carries sends out and does not answer, `twice` repeats every send,
 * `reversed` turns every batch around.
 */
export type SqsFault = 'none' | 'down' | 'slow' | 'mute' | 'denied' | 'twice' | 'reversed';

/** An SQS server of its own with a queue and its dead-letter queue, behind a way that can fail. */
export class TestSqs {
  fault: SqsFault = 'none';
  /** Requests that came, by operation. */
  readonly asked = new Map<string, number>();
  readonly client: SQSClient;
  /** Hears of each request whose answer is held back. */
  onHeld: (operation: string) => void = () => undefined;
  private readonly held = new Set<ServerResponse>();
  /** Of what was received, by the work's queue. */
  private readonly receipts: { queue: string; handle: string }[] = [];

  private constructor(
    private readonly gateway: Server,
    private readonly serverPort: number,
    private readonly name: string,
    private readonly end: () => Promise<void>,
  ) {
    this.client = new SQSClient({ region: 'us-east-1', endpoint: `http://127.0.0.1:${serverPort}`, credentials });
  }

  static async start({ maxReceives = 10, name = 'parley-test' } = {}): Promise<TestSqs> {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'sqs-server.mjs'), name, '0', String(maxReceives)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const exited = once(child, 'exit');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const gateway = createServer();
    const sqs = new TestSqs(gateway, Number(line.toString().trim()), name, async () => {
      child.kill('SIGKILL');
      await exited;
    });
    gateway.on('request', (incoming, response) => void sqs.pass(incoming, response));
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    return sqs;
  }

  get url(): string {
    return `http://127.0.0.1:${this.serverPort}/000000000000/${this.name}`;
  }

  get deadUrl(): string {
    return this.url.replace(this.name, `dead-${this.name}`);
  }

  /** What Parley needs to use it. */
  get environment(): Record<string, string> {
    return {
      SQS_QUEUE_URL: this.url,
      SQS_ENDPOINT: `http://127.0.0.1:${(this.gateway.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  }

  /** Lets go what a slow way has held back. */
  set(fault: SqsFault): void {
    this.fault = fault;
    for (const response of this.held) response.destroy();
    this.held.clear();
  }

  /** Ends the time for which received work of a queue is hidden from the others. */
  async release(queue: string): Promise<void> {
    for (const { handle } of this.receipts.filter((one) => one.queue === queue))
      await this.client
        .send(new ChangeMessageVisibilityCommand({ QueueUrl: this.url, ReceiptHandle: handle, VisibilityTimeout: 0 }))
        .catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.client.destroy();
    this.gateway.closeAllConnections();
    this.gateway.close();
    await this.end();
  }

  private async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
    this.asked.set(operation, (this.asked.get(operation) ?? 0) + 1);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = this.altered(operation, Buffer.concat(chunks));
    if (this.fault === 'down') return void response.destroy();
    if (this.fault === 'slow') return this.hold(operation, response);
    if (this.fault === 'denied') {
      response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: 'com.amazon.coral.service#ExpiredTokenException', message: 'expired' }));
      return;
    }
    if (this.fault === 'twice' && operation === 'SendMessageBatch') await this.ask(incoming, body);
    const answer = await this.ask(incoming, body).catch(() => undefined);
    if (!answer) return void response.destroy();
    if (this.fault === 'mute' && operation === 'SendMessageBatch') return this.hold(operation, response);
    if (operation === 'ReceiveMessage' && answer.body.length < 3)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (operation === 'ReceiveMessage') this.note(answer.body);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  private hold(operation: string, response: ServerResponse): void {
    this.held.add(response);
    this.onHeld(operation);
  }

  private note(received: Buffer): void {
    const { Messages = [] } = JSON.parse(received.toString()) as {
      Messages?: { Body: string; ReceiptHandle: string }[];
    };
    for (const { Body, ReceiptHandle: handle } of Messages) {
      const queue = /"queue":"([^"]+)"/.exec(Body)?.[1];
      if (queue !== undefined) this.receipts.push({ queue, handle });
    }
  }

  private altered(operation: string, body: Buffer): Buffer {
    // The server goes on with a long poll whose caller has gone, and would hand it the next messages.
    if (operation === 'ReceiveMessage')
      return Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), WaitTimeSeconds: 0 }));
    if (this.fault !== 'reversed' || operation !== 'SendMessageBatch') return body;
    const batch = JSON.parse(body.toString()) as { Entries: unknown[] };
    return Buffer.from(JSON.stringify({ ...batch, Entries: batch.Entries.toReversed() }));
  }

  private ask(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const onward = request(
        {
          host: '127.0.0.1',
          port: this.serverPort,
          method,
          path: url,
          headers: { ...headers, 'content-length': body.length },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      onward.on('error', reject);
      onward.end(body);
    });
  }
}
