import type { DeliveredEvent } from './domain-event.js';

/** A part of an event that does not fit into one message: whose it is, which of how many, and its bytes in base64. */
export type Piece = [eventId: string, index: number, count: number, bytes: string];

/** 6.4 KB in base64. */
const PIECE_BYTES = 4800;
/** 24 KB: the largest signal of a call with room to spare. */
const MAX_PIECES = 5;
/** Events that are not complete yet; whatever was lost on the way makes place in the end. */
const MAX_OPEN = 100;

/** Undefined when it is too large even for that. */
export function cut(event: DeliveredEvent): Piece[] | undefined {
  const bytes = Buffer.from(JSON.stringify(event));
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  if (count > MAX_PIECES) return undefined;
  return Array.from({ length: count }, (_, i) => [
    event.id,
    i,
    count,
    bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES).toString('base64'),
  ]);
}

/** Puts events together again, whatever order their pieces come in. */
export class Pieces {
  private readonly open = new Map<string, Map<number, string>>();

  /** The event, with its last piece. */
  add([id, index, count, bytes]: Piece): DeliveredEvent | undefined {
    const known = this.open.get(id) ?? new Map<number, string>();
    known.set(index, bytes);
    if (known.size < count) {
      this.open.set(id, known);
      if (this.open.size > MAX_OPEN) this.open.delete(this.open.keys().next().value ?? '');
      return undefined;
    }
    this.open.delete(id);
    const parts = Array.from({ length: count }, (_, i) => Buffer.from(known.get(i) ?? '', 'base64'));
    return JSON.parse(Buffer.concat(parts).toString()) as DeliveredEvent;
  }
}
