import { setTimeout as delay } from 'node:timers/promises';
import { type Head, type Me, now, type Operation, type Recorder, type Row } from '../history.js';
import { call, type Session } from './account.js';
import { type Answer, Connection, NoAnswer } from './connection.js';
import { Copy } from './copy.js';
import { Outbox, type Outgoing } from './outbox.js';
import { type Change, toMe, toRow } from './rows.js';

interface LiveChange extends Change {
  c: string;
  from: number;
}
interface SyncEntry {
  id: string;
  head: Head;
  me: Me;
  upTo: number;
  limited: boolean;
  changes: Change[];
}
interface SyncAnswer {
  epoch: string;
  reset: boolean;
  userRev: number;
  cursor: string | null;
  gone: string[];
  conversations: SyncEntry[];
}
interface ChangesAnswer {
  changes: Change[];
  upTo: number;
  more: boolean;
  head: Head;
  me: Me;
}
interface MessageAnswer {
  message?: { id: string; seq: number; rev: number };
  deduplicated?: boolean;
  rev?: number;
  readSeq?: number;
}
type Details = { c: string; clientId?: string; body?: string; seq?: number; target?: string };

/** Answers after which the same request may be sent again (protocol 2). */
const RETRY = new Set(
  'rate_limited internal_error starting draining database_unavailable overloaded dependency_unavailable idempotency_in_progress'.split(
    ' ',
  ),
);
const RECONNECT_MS = 300;
const REPAIR_RETRY_MS = 200;

/**
 * A client written from the protocol alone: holds a copy of its conversations, sends through an outbox, comes back after
 * every loss, and records all it does and sees.
 */
export class Device {
  readonly name: string;
  readonly outbox: Outbox;
  /** Conversations it is in, by id. */
  readonly copies = new Map<string, Copy>();
  /** Own messages that were acknowledged. */
  readonly sent: { c: string; seq: number }[] = [];
  private readonly repairing = new Set<string>();
  private connection: Connection | undefined;
  private held: LiveChange[] | undefined;
  private epoch: string | undefined;
  private userRev = 0;
  private sockets = 0;
  private stopped = false;
  private running: Promise<void> | undefined;

  constructor(
    private readonly session: Session,
    private readonly recorder: Recorder,
    /** Where to connect next, and where to send the next REST call. */
    private readonly nextUrl: () => string,
    private readonly viaRest: () => boolean,
  ) {
    this.name = session.deviceId;
    this.outbox = new Outbox((message) => this.trySend(message));
  }

  get user(): string {
    return this.session.user;
  }

  /** Connected, and what it missed is applied. */
  get live(): boolean {
    return this.connection !== undefined && this.held === undefined;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.connection?.close();
    await this.running;
  }

  /** One REST call as this user; rejects when there is no answer. */
  rest<Data>(method: string, path: string, body?: unknown, url = this.nextUrl()): Promise<Answer<Data>> {
    return call<Data>(url, this.session.token, method, path, body);
  }

  /** One recorded attempt of something that is not retried; answers whether it is known to have succeeded. */
  async attempt(op: Operation, details: Details, act: () => Promise<Answer<MessageAnswer>>): Promise<string> {
    const id = this.recorder.nextAttempt();
    this.recorder.add({ k: 'invoke', ...this.seen(), id, op, ...details });
    try {
      const answer = await act();
      if (!answer.ok) {
        this.recorder.add({ k: 'fail', ...this.seen(), id, code: answer.error.code });
        return answer.error.code;
      }
      const { message, deduplicated, rev, readSeq } = answer.data ?? {};
      if (message && op === 'send') this.sent.push({ c: details.c, seq: message.seq });
      this.recorder.add({
        k: 'ok',
        ...this.seen(),
        id,
        ...(message ? { seq: message.seq, rev: message.rev, messageId: message.id } : {}),
        ...(rev === undefined ? {} : { rev }),
        ...(deduplicated === undefined ? {} : { deduplicated }),
        ...(readSeq === undefined ? {} : { me: toMe(answer.data as Me) }),
      });
      return 'ok';
    } catch (error) {
      this.recorder.add({ k: 'unknown', ...this.seen(), id, reason: (error as Error).message });
      return 'unknown';
    }
  }

  /** By the socket if there is one, else nobody is asked. */
  async command<Data>(event: string, payload: unknown): Promise<Answer<Data>> {
    if (!this.connection) throw new NoAnswer('not connected');
    return this.connection.ask<Data>(event, payload);
  }

  private async trySend({ c, clientId, body, silent }: Outgoing): Promise<boolean> {
    const rest = this.viaRest();
    if (!rest && !this.connection) return false;
    const fields = { clientId, body, ...(silent ? { silent } : {}) };
    const outcome = await this.attempt('send', { c, clientId, body }, () =>
      rest ? this.rest('POST', `/conversations/${c}/messages`, fields) : this.command('message.send', { c, ...fields }),
    );
    return outcome !== 'unknown' && !RETRY.has(outcome);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const socket = (this.sockets += 1);
      this.held = [];
      try {
        const connection = await Connection.open(this.nextUrl(), this.session, (on) => {
          on('change', (change: LiveChange) => this.onChange(socket, change));
          on('user.change', (change: { rev: number; from: number }) => this.onUserChange(socket, change));
          on('heads', (heads: Record<string, number>) => this.onHeads(socket, heads));
        });
        this.connection = connection;
        if (this.stopped) connection.close();
        this.recorder.add({ k: 'socket', ...this.seen(), socket, epoch: connection.ready.epoch });
        await this.syncAll(connection);
        await connection.closed;
      } catch {
        // A replica that is away, or went while it was asked: the next one.
      }
      this.connection?.close();
      this.connection = undefined;
      if (!this.stopped) await delay(RECONNECT_MS);
    }
  }

  /** Client rule 2: live events wait until the answer is applied. */
  private async syncAll(connection: Connection): Promise<void> {
    const heads = Object.fromEntries([...this.copies].map(([c, copy]) => [c, copy.position]));
    let cursor: string | null = null;
    do {
      const asked = now();
      const answer: Answer<SyncAnswer> = await connection.ask('sync', {
        userRev: this.userRev,
        heads,
        ...(this.epoch === undefined ? {} : { epoch: this.epoch }),
        ...(cursor === null ? {} : { cursor }),
      });
      if (!answer.ok) {
        await delay(REPAIR_RETRY_MS);
        continue;
      }
      cursor = answer.data.cursor;
      this.applySync(asked, heads, answer.data);
      if (cursor === null) break;
    } while (!this.stopped);
    const held = this.held ?? [];
    this.held = undefined;
    for (const change of held) this.apply(change);
  }

  private applySync(asked: number, heads: Record<string, number>, answer: SyncAnswer): void {
    this.epoch = answer.epoch;
    this.userRev = Math.max(this.userRev, answer.userRev);
    for (const c of answer.gone) this.copies.delete(c);
    for (const { id, limited, changes, upTo, head, me } of answer.conversations) {
      const rows = changes.map(toRow);
      const after = limited || answer.reset ? null : (heads[id] ?? null);
      this.recordPage(asked, id, { rows, after, upTo, more: false, head, me });
      const copy = after === null ? new Copy(0) : (this.copies.get(id) ?? new Copy(0));
      copy.fill(rows, upTo);
      this.copies.set(id, copy);
    }
  }

  private onChange(socket: number, change: LiveChange): void {
    const row = toRow(change);
    this.recorder.add({ k: 'live', ...this.seen(), socket, c: change.c, from: change.from, row });
    if (socket !== this.sockets) return;
    if (this.held) this.held.push(change);
    else this.apply(change);
  }

  private onUserChange(socket: number, { rev, from }: { rev: number; from: number }): void {
    this.recorder.add({ k: 'live', ...this.seen(), socket, c: 'user', from, row: { t: 'void', key: 'user', rev } });
    this.userRev = from <= this.userRev ? Math.max(this.userRev, rev) : this.userRev;
  }

  private onHeads(socket: number, heads: Record<string, number>): void {
    this.recorder.add({ k: 'heads', ...this.seen(), socket, heads });
    if (socket !== this.sockets || this.held) return;
    for (const [c, rev] of Object.entries(heads)) {
      if (rev > (this.copies.get(c)?.position ?? 0)) void this.repair(c);
    }
  }

  private apply({ c, from, ...change }: LiveChange): void {
    const row = toRow(change);
    let copy = this.copies.get(c);
    if (!copy) this.copies.set(c, (copy = new Copy(0)));
    if (!copy.take(from, row)) void this.repair(c);
    else if (row.user === this.user && row.state !== 'active') this.copies.delete(c);
  }

  /** Reads what is missing, then applies what was held. Gives up with the socket: the next `sync` brings it. */
  private async repair(c: string): Promise<void> {
    if (this.repairing.has(c)) return;
    this.repairing.add(c);
    try {
      while ((await this.readOn(c)) || !(this.copies.get(c)?.takeHeld() ?? true));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    } finally {
      this.repairing.delete(c);
    }
  }

  /** One page; answers whether there are more. */
  private async readOn(c: string): Promise<boolean> {
    const after = this.copies.get(c)?.position ?? 0;
    const asked = now();
    const answer = await this.command<ChangesAnswer>('changes', { c, after });
    if (!answer.ok) {
      if (answer.error.code === 'not_found') this.copies.delete(c);
      else await delay(REPAIR_RETRY_MS);
      return answer.error.code !== 'not_found';
    }
    const { changes, ...page } = answer.data;
    const rows = changes.map(toRow);
    this.recordPage(asked, c, { ...page, rows, after });
    this.copies.get(c)?.fill(rows, page.upTo);
    return page.more;
  }

  private recordPage(
    asked: number,
    c: string,
    {
      rows,
      after,
      upTo,
      more,
      head,
      me,
    }: { rows: Row[]; after: number | null; upTo: number; more: boolean; head: Head; me: Me },
  ): void {
    const { seq, rev } = head;
    const epoch = this.epoch ?? '';
    this.recorder.add({
      k: 'page',
      ...this.seen(),
      asked,
      epoch,
      c,
      after,
      upTo,
      more,
      head: { seq, rev },
      me: toMe(me),
      rows,
    });
  }

  private seen(): { t: number; device: string; user: string } {
    return { t: now(), device: this.name, user: this.user };
  }
}
