import type { ConversationChange, Feeds, Slice } from './feeds.js';

interface Wanted {
  id: string;
  after: number;
  resolve: (slice: Slice<ConversationChange>) => void;
  reject: (error: unknown) => void;
}

const PAGE = 200;
const IDS_AT_ONCE = 500;
const READS_AT_ONCE = 2;

/**
 * Reads the missing rows of many conversations in one go: the hints of other replicas come many at a time, and one
 * statement per reader serves them all. At most two reads are in flight, so repair never takes the pool from requests.
 */
export class RoomReads {
  private readonly waiting: Wanted[] = [];
  private running = 0;
  private scheduled = false;

  constructor(private readonly feeds: Feeds) {}

  /** Rows of a conversation above a position, by rev. */
  read(id: string, after: number): Promise<Slice<ConversationChange>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ id, after, resolve, reject });
      this.schedule();
    });
  }

  /** After everything that is being announced just now. */
  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0 || this.running >= READS_AT_ONCE) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.run(this.waiting.splice(0, IDS_AT_ONCE));
      this.schedule();
    });
  }

  /** Never rejects. */
  private async run(batch: readonly Wanted[]): Promise<void> {
    this.running += 1;
    try {
      const slices = await this.slices(batch);
      for (const { id, resolve } of batch) resolve(slices.get(id) ?? { changes: [], upTo: 0, more: false, head: 0 });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.running -= 1;
    this.schedule();
  }

  /** Heads first, so that what changes meanwhile is left for the next read. */
  private async slices(batch: readonly Wanted[]): Promise<Map<string, Slice<ConversationChange>>> {
    const afters = new Map<string, number>();
    for (const { id, after } of batch) afters.set(id, Math.min(after, afters.get(id) ?? after));
    const heads = await this.feeds.conversationHeads([...afters.keys()]);
    const ranges = [...afters].map(([id, after]) => ({ id, after, upTo: heads.get(id) ?? 0 }));
    return this.feeds.conversations(
      ranges.filter(({ after, upTo }) => upTo > after),
      PAGE,
    );
  }
}
