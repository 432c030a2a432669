import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';

import type { ClientBase } from 'pg';
import { escapeIdentifier as id } from 'pg';

import { copyOut } from './copy.js';

/** A table as an archive holds it: its stored columns, generated ones left out. */
export interface TableContent {
  /** `app`: the application schema; `lifecycle`: the lifecycle's own. */
  home: 'app' | 'lifecycle';
  name: string;
  columns: string[];
}

export interface TableSum {
  rows: number;
  /** 128 bit, hex; the same whatever the order of the rows. */
  hash: string;
}

export const copyStatement = (
  schema: string,
  { name, columns }: TableContent,
  direction: 'TO STDOUT' | 'FROM STDIN',
): string => `COPY ${id(schema)}.${id(name)} (${columns.map((column) => id(column)).join(', ')}) ${direction}`;

/** Under which values have one text form on every server. For the current transaction. */
export const CONTENT_SETTINGS = `SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
  SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL statement_timeout = 0`;

/** Adds up rows: the sum of their digests does not depend on their order, and unlike XOR sees doubled rows. */
export class RowSum {
  private rows = 0;
  private low = 0n;
  private high = 0n;

  add(row: Buffer): void {
    const digest = createHash('sha256').update(row).digest();
    this.rows += 1;
    this.low = BigInt.asUintN(64, this.low + digest.readBigUInt64BE(0));
    this.high = BigInt.asUintN(64, this.high + digest.readBigUInt64BE(8));
  }

  get sum(): TableSum {
    const hex = (half: bigint): string => half.toString(16).padStart(16, '0');
    return { rows: this.rows, hash: hex(this.high) + hex(this.low) };
  }
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** The sum of a table in a database; inside a transaction with `CONTENT_SETTINGS`. */
export async function sumTable(client: ClientBase, schema: string, table: TableContent): Promise<TableSum> {
  const sum = new RowSum();
  await copyOut(client, copyStatement(schema, table, 'TO STDOUT'), nowhere(), (row) => sum.add(row));
  return sum.sum;
}
