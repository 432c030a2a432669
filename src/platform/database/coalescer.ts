interface Waiting<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

const MAX_TOGETHER = 500;

/**
 * Joins concurrent requests into statements of many. At most one is in flight, and what arrives meanwhile forms the next:
 * an idle process waits for nothing, a busy one saves round trips. A statement begins after its last request has arrived,
 * so nobody gets an answer older than the question.
 */
export class Coalescer<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private running = false;

  /** `work` answers in the order of its requests, of which it gets `max` at most; when it throws, so does each of them. */
  constructor(
    private readonly work: (requests: readonly Request[]) => Promise<readonly Answer[]>,
    private readonly max = MAX_TOGETHER,
  ) {}

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (!this.running) void this.drain();
    });
  }

  /** Never rejects. */
  private async drain(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) await this.flush(this.waiting.splice(0, this.max));
    this.running = false;
  }

  private async flush(batch: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await this.work(batch.map(({ request }) => request));
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as Answer);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
