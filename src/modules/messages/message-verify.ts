import type { Db } from '../../platform/database/db.js';
import type { ConversationsService, HeadCounters } from '../conversations/conversations.service.js';
import {
  countAfter,
  countersOf,
  listDanglingReplies,
  listWrongThreads,
  type MessageCounters,
} from './consistency.repository.js';
import type { InvariantCheck } from './dto/verification.view.js';

const CONVERSATIONS_AT_ONCE = 200;
const SHOWN = 20;

class Tally {
  checked = 0;
  private found = 0;
  private readonly shown: string[] = [];

  constructor(
    private readonly id: InvariantCheck['id'],
    private readonly rule: string,
  ) {}

  add(checked: number, violations: readonly string[]): void {
    this.checked += checked;
    this.found += violations.length;
    this.shown.push(...violations.slice(0, SHOWN - this.shown.length));
  }

  get result(): InvariantCheck {
    const { id, rule, checked, found, shown } = this;
    return { id, rule, ok: found === 0, checked, found, violations: shown };
  }
}

/**
 * Compares what the tables store twice: I3, I4, I10 and I11 of the protocol, and S6, the other derived data. `db` is one
 * snapshot, so a server may go on writing. At most `sample` conversations when given.
 */
export async function verifyMessages(
  db: Db,
  conversations: ConversationsService,
  sample = Infinity,
): Promise<InvariantCheck[]> {
  const idempotency = new Tally('I3', 'one row per conversation, sender and clientId');
  const density = new Tally('I4', 'seq is 1..head, and no row is beyond its head');
  const watermarks = new Tally('I10', '0 <= read <= delivered <= head');
  const unread = new Tally('I11', 'the unread of the counters is the number of unread rows');
  const derived = new Tally('S6', 'threads count their replies; what is replied to is there');
  for await (const heads of headPages(db, conversations, sample)) {
    const ids = heads.map(({ conversationId }) => conversationId);
    const counters = new Map((await countersOf(db, ids)).map((row) => [row.conversationId, row]));
    const doubled = [...counters.values()].filter((row) => row.doubled > 0);
    idempotency.add(
      ids.length,
      doubled.map((row) => `${row.conversationId}: ${row.doubled} rows too many`),
    );
    density.add(
      ids.length,
      heads.flatMap((head) => contradiction(head, counters.get(head.conversationId))),
    );
    const { misplaced, marks } = await conversations.readState(db, ids);
    watermarks.add(
      ids.length,
      misplaced.map(({ conversationId, userId }) => `${userId} in ${conversationId}`),
    );
    const counted = await countAfter(db, marks);
    const wrong = marks.filter((mark, i) => mark.unread !== counted[i]);
    unread.add(
      marks.length,
      wrong.map(({ conversationId, userId }) => `${userId} in ${conversationId}`),
    );
    const threads = await listWrongThreads(db, ids);
    const replies = await listDanglingReplies(db, ids);
    derived.add(ids.length, [
      ...threads.map(({ conversationId, threadId }) => `thread ${threadId} in ${conversationId}`),
      ...replies.map(({ conversationId, seq }) => `reply ${seq} in ${conversationId}`),
    ]);
  }
  return [idempotency, density, watermarks, unread, derived].map(({ result }) => result);
}

async function* headPages(db: Db, conversations: ConversationsService, sample: number): AsyncGenerator<HeadCounters[]> {
  let after: string | null = null;
  for (let left = sample; left > 0;) {
    const heads: HeadCounters[] = await conversations.heads(db, after, Math.min(left, CONVERSATIONS_AT_ONCE));
    if (heads.length === 0) return;
    yield heads;
    left -= heads.length;
    after = heads.at(-1)?.conversationId ?? null;
  }
}

function contradiction(head: HeadCounters, rows: MessageCounters | undefined): string[] {
  const { conversationId, seq, ord, rev } = head;
  if (!rows) return seq === 0 && ord === 0 ? [] : [`${conversationId}: no message, head ${seq}`];
  const dense = rows.lowestSeq === 1 && rows.highestSeq === seq && rows.count === seq;
  if (!dense)
    return [`${conversationId}: ${rows.count} messages from ${rows.lowestSeq} to ${rows.highestSeq}, head ${seq}`];
  if (rows.highestOrd !== ord || rows.highestRev > rev) return [`${conversationId}: rows are not at their head`];
  return [];
}
