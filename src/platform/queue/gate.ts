import { RetryLater } from './delayed-work.js';

/** Lets so many run at once; the others wait in the order they came. */
export class Gate {
  private readonly waiting: { enter: () => void; leave: (error: Error) => void }[] = [];
  private closed = false;

  constructor(private free: number) {}

  /** @throws RetryLater when the gate closes before the work has begun */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.closed) throw stopping();
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((enter, leave) => this.waiting.push({ enter, leave }));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next.enter();
      else this.free += 1;
    }
  }

  /** Turns away whoever waits; what runs goes on. */
  close(): void {
    this.closed = true;
    for (const { leave } of this.waiting.splice(0)) leave(stopping());
  }
}

const stopping = (): RetryLater => new RetryLater(0, 'stopping');
