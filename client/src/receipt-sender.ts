export interface ReceiptMarks {
  delivered?: number;
  read?: number;
}

const INTERVAL_MS = 1000;

/** Sends own receipts: only forward, at most one per second and conversation, the latest always (protocol, section 6.5). */
export class ReceiptSender {
  private readonly wanted = new Map<string, Required<ReceiptMarks>>();
  private readonly sent = new Map<string, Required<ReceiptMarks>>();
  private readonly resting = new Map<string, ReturnType<typeof setTimeout>>();
  private online = false;

  /** `send` may reject; what it carried is sent again after the next `connected`. */
  constructor(private readonly send: (c: string, marks: ReceiptMarks) => Promise<unknown>) {}

  mark(c: string, { delivered = 0, read = 0 }: ReceiptMarks): void {
    const before = this.wanted.get(c) ?? { delivered: 0, read: 0 };
    const furthest = Math.max(before.read, read);
    this.wanted.set(c, { delivered: Math.max(before.delivered, delivered, furthest), read: furthest });
    this.flush(c);
  }

  connected(): void {
    this.online = true;
    // Answers may have been lost; the server takes the higher of both.
    this.sent.clear();
    for (const c of this.wanted.keys()) this.flush(c);
  }

  disconnected(): void {
    this.online = false;
  }

  forget(c: string): void {
    this.wanted.delete(c);
    this.sent.delete(c);
  }

  close(): void {
    this.online = false;
    for (const timer of this.resting.values()) clearTimeout(timer);
    this.resting.clear();
  }

  private flush(c: string): void {
    const marks = this.wanted.get(c);
    if (!marks || !this.online || this.resting.has(c)) return;
    const known = this.sent.get(c) ?? { delivered: 0, read: 0 };
    const news: ReceiptMarks = {
      ...(marks.delivered > known.delivered ? { delivered: marks.delivered } : {}),
      ...(marks.read > known.read ? { read: marks.read } : {}),
    };
    if (news.delivered === undefined && news.read === undefined) return;
    this.sent.set(c, { ...marks });
    this.resting.set(
      c,
      setTimeout(() => {
        this.resting.delete(c);
        this.flush(c);
      }, INTERVAL_MS),
    );
    this.send(c, news).catch(() => undefined);
  }
}
