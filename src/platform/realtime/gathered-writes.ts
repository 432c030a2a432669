/** The parts of Engine.IO, ws and Node that a write passes. */
export interface GatheredConnection {
  flush(): void;
  transport: { socket?: { _socket?: { cork(): void; uncork(): void } } };
}

/**
 * What one turn of the event loop has for a connection leaves in one system call: an ack and the change it caused, or all
 * changes of one statement. Nothing waits longer than the turn.
 */
export class GatheredWrites {
  private held = new Map<GatheredConnection, () => void>();

  /** To be called once for each new connection. */
  gather(connection: GatheredConnection): void {
    const flush = connection.flush.bind(connection);
    connection.flush = () => {
      if (this.held.size === 0) setImmediate(() => this.release());
      this.held.set(connection, flush);
    };
  }

  private release(): void {
    const { held } = this;
    this.held = new Map();
    for (const [{ transport }, flush] of held) {
      const tcp = transport.socket?._socket;
      tcp?.cork();
      flush();
      tcp?.uncork();
    }
  }
}
