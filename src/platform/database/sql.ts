import { createHash } from 'node:crypto';

/** A statement with its values. Written with the `sql` tag; the text never holds a value. */
export class Sql {
  private merged?: { text: string; values: unknown[] };

  constructor(
    private readonly strings: readonly string[],
    private readonly parts: readonly unknown[],
  ) {}

  /** Text with $1, $2 ... and the values; nested fragments are folded in. */
  compile(): { text: string; values: unknown[] } {
    if (!this.merged) {
      const values: unknown[] = [];
      this.merged = { text: this.append(values), values };
    }
    return this.merged;
  }

  private append(values: unknown[]): string {
    let text = this.strings[0] ?? '';
    this.parts.forEach((part, i) => {
      if (part instanceof Sql) text += part.append(values);
      else text += `$${values.push(part)}`;
      text += this.strings[i + 1] ?? '';
    });
    return text;
  }
}

/**
 * A parametrised statement: sql`SELECT ... WHERE id = ${id}`. A value is always a parameter; another `sql` fragment is
 * inserted as text. Lists go in as arrays: `= ANY(${ids})`, `unnest(${ids}::uuid[])`.
 */
export const sql = (strings: TemplateStringsArray, ...parts: unknown[]): Sql => new Sql(strings, parts);

/** Fragments joined by a constant separator such as ' AND ' or ', '. */
export const joinSql = (fragments: readonly Sql[], separator: string): Sql =>
  new Sql(['', ...fragments.slice(1).map(() => separator), ''], fragments);

/** Text that is part of the program: an identifier or a keyword. Never input. */
export const rawSql = (text: string): Sql => new Sql([text], []);

const names = new Map<string, string>();
const MAX_NAMES = 2000;

/** Name of the prepared statement for a text: the same on every connection, so each is parsed once per connection. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 20);
    if (names.size < MAX_NAMES) names.set(text, name);
  }
  return name;
}
