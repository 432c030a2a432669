/** What a server has counted since it started, of what a load test is judged by. */
export interface ServerFigures {
  /** Statements by the upper bound of their duration in s, cumulated. */
  statements: Map<number, number>;
  databaseErrors: number;
}

const BUCKET = /^db_client_operation_duration_seconds_bucket\{.*le="([^"]+)".*\} (\d+)/gm;
/** A conflict is an answer; these say that the database or a connection was not there. */
const ERRORS = /^db_errors_total\{class="(?:unreachable|timeout|auth|capacity)"\} (\d+)/gm;

/** Reads /metrics; undefined where it is not open to this caller. Behind a balancer it is one replica that answers. */
export async function readServer(url: string, token: string | undefined): Promise<ServerFigures | undefined> {
  const response = await fetch(`${url}/metrics`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  if (response.status !== 200) return undefined;
  const text = await response.text();
  const statements = new Map<number, number>();
  for (const [, bound, count] of text.matchAll(BUCKET)) {
    const seconds = bound === '+Inf' ? Infinity : Number(bound);
    statements.set(seconds, (statements.get(seconds) ?? 0) + Number(count));
  }
  const databaseErrors = [...text.matchAll(ERRORS)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { statements, databaseErrors };
}

/** What lies between two readings: p95 of the statements in ms, interpolated within its bucket, and errors of the database. */
export function between(before: ServerFigures, after: ServerFigures): { databaseP95: number; databaseErrors: number } {
  const bounds = [...after.statements.keys()].toSorted((a, b) => a - b);
  const made = (bound: number) => (after.statements.get(bound) ?? 0) - (before.statements.get(bound) ?? 0);
  const wanted = made(Infinity) * 0.95;
  let below = 0;
  let from = 0;
  let databaseP95 = 0;
  for (const bound of bounds) {
    const upTo = made(bound);
    if (upTo >= wanted) {
      // Nothing is known beyond the last bound but that it was passed.
      const share = upTo > below ? (wanted - below) / (upTo - below) : 0;
      databaseP95 = (bound === Infinity ? from : from + (bound - from) * share) * 1000;
      break;
    }
    below = upTo;
    from = bound;
  }
  return {
    databaseP95: Math.round(databaseP95 * 100) / 100,
    databaseErrors: after.databaseErrors - before.databaseErrors,
  };
}
