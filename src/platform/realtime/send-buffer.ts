import type { Socket } from 'socket.io';

/** The parts of Engine.IO and ws that tell how much of what was sent is still here. */
interface Connection {
  transport: { writable: boolean; socket?: { bufferedAmount: number; terminate(): void } };
  writeBuffer: { data?: unknown }[];
  close(discard: boolean): void;
}

/** Bytes that were sent to a socket and have not left this process. */
export class SendBuffer {
  private counted: unknown[] = [];
  private countedBytes = 0;
  private next = 0;
  private readonly connection: Connection;

  constructor(socket: Socket) {
    this.connection = socket.conn as unknown as Connection;
  }

  /** Whether everything has left; costs next to nothing. */
  static isEmpty({ conn }: Socket): boolean {
    return (conn as unknown as Connection).transport.writable;
  }

  bytes(): number {
    const { transport, writeBuffer } = this.connection;
    if (transport.writable) return 0;
    // The array only grows until it is handed over whole, so each packet is counted once.
    if (this.counted !== writeBuffer) [this.counted, this.countedBytes, this.next] = [writeBuffer, 0, 0];
    for (; this.next < writeBuffer.length; this.next++) this.countedBytes += length(writeBuffer[this.next]?.data);
    return this.countedBytes + (transport.socket?.bufferedAmount ?? 0);
  }

  /** Ends the connection without waiting for what was not sent. */
  discard(): void {
    const { transport } = this.connection;
    if (transport.socket) transport.socket.terminate();
    else this.connection.close(true);
  }
}

const length = (data: unknown): number => (typeof data === 'string' || Buffer.isBuffer(data) ? data.length : 0);
