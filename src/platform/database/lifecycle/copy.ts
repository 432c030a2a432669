import { once } from 'node:events';
import type { Duplex, Writable } from 'node:stream';

import type { ClientBase, Connection, Submittable } from 'pg';

/** What `pg` offers a query that speaks the COPY protocol itself; its typings leave it out. */
type CopyConnection = Connection & {
  stream: Duplex;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
};

/** A statement whose answer arrives as events of the client. Settles once the server is ready for the next one. */
abstract class CopyStatement implements Submittable {
  readonly done: Promise<void>;
  protected ended = false;
  /** Why this side gave up; the server only repeats it. */
  protected cause: unknown;
  private resolve: () => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;

  constructor(private readonly text: string) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  submit(connection: Connection): void {
    (connection as CopyConnection).query(this.text);
  }

  handleError(error: unknown): void {
    this.ended = true;
    this.reject(this.cause ?? error);
  }

  handleReadyForQuery(): void {
    this.ended = true;
    if (this.cause === undefined) this.resolve();
    else this.reject(this.cause);
  }

  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
}

class CopyOut extends CopyStatement {
  constructor(
    text: string,
    private readonly target: Writable,
    private readonly onRow: (row: Buffer) => void,
  ) {
    super(text);
  }

  /** In text format one message is one row, line feed included. Its bytes are only lent. */
  handleCopyData({ chunk }: { chunk: Buffer }, { stream }: CopyConnection): void {
    const row = Buffer.from(chunk);
    const { target } = this;
    if (target.destroyed) {
      // A full disk, a missing folder: what is still on its way is let go, and the statement fails.
      this.cause ??= target.errored ?? new Error('the target of the rows was closed');
      return;
    }
    this.onRow(row);
    if (target.write(row)) return;
    stream.pause();
    const goOn = (): void => {
      target.off('drain', goOn).off('close', goOn);
      stream.resume();
    };
    target.once('drain', goOn).once('close', goOn);
  }
}

class CopyIn extends CopyStatement {
  constructor(
    text: string,
    private readonly rows: AsyncIterable<Buffer>,
  ) {
    super(text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.pump(connection).catch((error: unknown) => {
      this.cause = error;
      connection.sendCopyFail('the source of the rows failed');
    });
  }

  private async pump(connection: CopyConnection): Promise<void> {
    for await (const row of this.rows) {
      if (this.ended) return;
      connection.sendCopyFromChunk(row);
      if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain');
    }
    connection.endCopyFrom();
  }
}

/** `COPY … TO STDOUT`: writes every row to `target`, at its pace, and shows it to `onRow`. */
export const copyOut = (
  client: ClientBase,
  text: string,
  target: Writable,
  onRow: (row: Buffer) => void,
): Promise<void> => client.query(new CopyOut(text, target, onRow)).done;

/** `COPY … FROM STDIN`: rows as `copyOut` gave them. An error of the source fails the statement. */
export const copyIn = (client: ClientBase, text: string, rows: AsyncIterable<Buffer>): Promise<void> =>
  client.query(new CopyIn(text, rows)).done;
