import { z } from 'zod';
import { DomainError } from '../errors/domain-error.js';
import { wholeNumber } from './whole-number.js';

/** One page of a list, as every list endpoint answers it. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
  prev: string | null;
}

/** `?cursor=&limit=` of every list. */
export const pageQuery = z.strictObject({
  cursor: z.string().optional(),
  limit: wholeNumber(1, 100).prefault(50),
});
export type PageQuery = z.output<typeof pageQuery>;

/** The schema of a list answer. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable(), prev: z.string().nullable() });

/** An opaque cursor around a position in one kind of list. Not a secret and not trusted: it is checked when it comes back. */
export const encodeCursor = (kind: string, position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([kind, ...position])).toString('base64url');

/** @throws invalid_cursor when it is not one of ours, or of another list */
export function decodeCursor<const Shape extends z.ZodType>(
  kind: string,
  cursor: string,
  shape: Shape,
): z.output<Shape> {
  try {
    const [itsKind, ...position] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (itsKind !== kind) throw new Error('another list');
    return shape.parse(position);
  } catch {
    throw new DomainError('invalid_cursor');
  }
}

/** Cuts `rows` (one more than `limit` was asked for) to a page with a cursor to the rest. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(view),
    next: rows.length > limit && last !== undefined ? cursorOf(last) : null,
    prev: null,
  };
}
