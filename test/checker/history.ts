import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** The state of one row as a client was shown it. `key` names the row within its conversation. */
export interface Row {
  t: 'message' | 'member' | 'conversation' | 'thread' | 'void';
  key: string;
  rev: number;
  /** Messages. */
  seq?: number;
  id?: string;
  sender?: string | null;
  clientId?: string | null;
  body?: string | null;
  deleted?: boolean;
  /** Members. */
  user?: string;
  state?: string;
}

/** The viewer's own side of a conversation. */
export interface Me {
  visibleFromSeq: number;
  readSeq: number;
  deliveredSeq: number;
  unread: number;
  unreadCapped: boolean;
}

export interface Head {
  seq: number;
  rev: number;
}

export type Operation = 'send' | 'edit' | 'delete' | 'react' | 'receipt' | 'add' | 'remove';

interface Seen {
  /** Milliseconds of a monotonic clock. */
  t: number;
  device: string;
  user: string;
}

/** One attempt. `id` joins it to its outcome; retries of a send share the clientId and are attempts of their own. */
export interface Invoke extends Seen {
  k: 'invoke';
  id: number;
  op: Operation;
  c: string;
  clientId?: string;
  body?: string;
  /** Message spoken of; user spoken of. */
  seq?: number;
  target?: string;
}

/** How an attempt ended. Without an answer it is `unknown`: it may have happened, or may still happen. */
export type Outcome =
  | ({ k: 'ok'; id: number; seq?: number; rev?: number; messageId?: string; deduplicated?: boolean; me?: Me } & Seen)
  | ({ k: 'fail'; id: number; code: string } & Seen)
  | ({ k: 'unknown'; id: number; reason: string } & Seen);

/** A socket is ready; `socket` is new each time. */
export interface Opened extends Seen {
  k: 'socket';
  socket: number;
  epoch: string;
}

/** A `change`, as it arrived. `c` of the user's own feed is `user`, its rows are not kept. */
export interface Live extends Seen {
  k: 'live';
  socket: number;
  c: string;
  from: number;
  row: Row;
}

export interface HeadsHint extends Seen {
  k: 'heads';
  socket: number;
  heads: Record<string, number>;
}

/** An answer of `sync` or `changes`; `after` is null where the server began anew (`limited`). */
export interface Page extends Seen {
  k: 'page';
  /** When it was asked for; `t` is when it was answered. */
  asked: number;
  epoch: string;
  c: string;
  after: number | null;
  upTo: number;
  more: boolean;
  head: Head;
  me: Me;
  rows: Row[];
}

export interface Fault {
  k: 'fault';
  t: number;
  name: string;
}

/** After the last fault: how long a device that was connected took to stand at every head; null: it never did. */
export interface Converged extends Seen {
  k: 'converged';
  ms: number | null;
}

/** Everything a device can read of a conversation at the end, and what its own copy holds. */
export interface Final extends Seen {
  k: 'final';
  c: string;
  rows: Row[];
  me: Me;
  cache: [key: string, rev: number][];
}

/** The tables at the end. */
export interface Tables {
  k: 'tables';
  t: number;
  c: string;
  head: Head & { ord: number; lastDeleteSeq: number };
  messages: {
    seq: number;
    rev: number;
    id: string;
    sender: string | null;
    clientId: string | null;
    counts: boolean;
    deleted: boolean;
  }[];
  members: {
    user: string;
    rev: number;
    state: string;
    visibleFromSeq: number;
    readSeq: number;
    deliveredSeq: number;
  }[];
  /** Revs of the other rows of the feed. */
  others: { key: string; rev: number }[];
}

export type Entry = Invoke | Outcome | Opened | Live | HeadsHint | Page | Fault | Converged | Final | Tables;

/** Writes down what clients did and saw, as it happens, one JSON line each. */
export class Recorder {
  readonly entries: Entry[] = [];
  private readonly file: WriteStream;
  private attempts = 0;

  constructor(readonly path: string) {
    this.file = createWriteStream(path);
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    this.file.write(`${JSON.stringify(entry)}\n`);
  }

  nextAttempt(): number {
    return (this.attempts += 1);
  }

  async close(): Promise<void> {
    this.file.end();
    await finished(this.file);
  }
}

/** Monotonic, one clock for all clients of a run. */
export const now = (): number => Math.round(performance.now() * 1000) / 1000;
