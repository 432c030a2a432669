import type { ComponentChildren } from 'preact';
import { seconds } from './format.js';
import type { Resource } from './resource.js';

interface CardProps {
  id: string;
  title: string;
  /** Stands on the right of the title. */
  aside?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ id, title, aside, wide = false, children }: CardProps) {
  return (
    <section id={id} class={`card ${wide ? 'wide' : ''}`} aria-labelledby={`${id}-title`}>
      <div class="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}

interface LoadedProps<Answer> {
  of: Resource<Answer>;
  children: (data: Answer) => ComponentChildren;
}

/** What a route answered; before that, and beside old figures, why there is nothing newer. */
export function Loaded<Answer>({ of: { data, at, error }, children }: LoadedProps<Answer>) {
  const age = at === undefined ? 0 : (Date.now() - at) / 1000;
  return (
    <>
      {error !== undefined && (
        <p class="notice warn">
          {reason(error.status, error.code)}
          {data !== undefined && ` These figures are ${seconds(Math.round(age))} old.`}
        </p>
      )}
      {data === undefined && error === undefined && <p class="muted">Loading</p>}
      {data !== undefined && children(data)}
    </>
  );
}

function reason(status: number, code: string): string {
  if (status === 401 || status === 403) return 'This sign-in may not see that.';
  if (code === 'database_unavailable') return 'The database does not answer.';
  if (status === 0) return 'Parley does not answer.';
  return `Not available at present (${code}).`;
}

/** Columns of a table; cells that are numbers stand on the right. */
export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  figure?: boolean;
  /** Not shown where there is no room. */
  minor?: boolean;
}

const look = ({ figure, minor }: { figure?: boolean; minor?: boolean }): string =>
  `${figure ? 'figure' : ''} ${minor ? 'minor' : ''}`;

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** In place of a table without rows. */
  empty: string;
}

export function Table<Row>({ label, columns, rows, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0) return <p class="muted">{empty}</p>;
  return (
    <div class="table" role="group" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={look(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} class={look(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
