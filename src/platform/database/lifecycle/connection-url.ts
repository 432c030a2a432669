import type { ClientConfig } from 'pg';
import { Client } from 'pg';

import type { ConnectionTarget } from './diagnose.js';
import { LifecycleError } from './errors.js';
import { orAborted } from './wait.js';

/** What may stand in the query part; Prisma's own parameters (`schema`, `connection_limit`, `pgbouncer` ...) are dropped. */
const known =
  /^(host|port|user|password|ssl|sslmode|sslcert|sslkey|sslrootcert|sslnegotiation|uselibpqcompat|options|client_encoding)=/;

/** A new connection waits no longer than this for the present password, then goes with the last one known. */
const passwordWaitMs = 500;

/** By URL: what its password is now. */
const followed = new Map<string, () => Promise<string>>();

/** From now on a connection made with this URL takes the password of the URL that `read` gives at that moment. */
export function followPassword(url: string, read: () => Promise<string>): void {
  let last = passwordOf(url);
  // A URL without one leaves the matter to pg, which looks in its own places.
  if (!last) return;
  followed.set(url, async () => {
    const present = await orAborted(read(), AbortSignal.timeout(passwordWaitMs)).catch(() => '');
    return (last = passwordOf(present) || last);
  });
}

/** Client settings of a connection URL. `sslmode` means what it means to libpq and Prisma: `require` does not verify. */
export function clientConfig(url: string, source: string): ClientConfig {
  const connectionString = withoutPrismaParameters(url);
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('does not begin with postgresql://');
    const client = new Client({ connectionString });
    if (!Number.isInteger(client.port) || client.port <= 0) throw new Error('has a port that is not a number');
    if (!client.database) throw new Error('names no database');
    const password = followed.get(url);
    return password ? { ...partsOf(client, connectionString), password } : { connectionString };
  } catch (error) {
    // The parser's own message may hold the URL.
    const why = error instanceof Error && /^(does not|has a|names no) /.test(error.message) ? error.message : undefined;
    throw new LifecycleError('config', `${source} is not a PostgreSQL URL: it ${why ?? 'cannot be parsed'}`, {
      hint: 'postgresql://user:password@host:5432/database, with @ : / ? # in the password percent-encoded',
    });
  }
}

function withoutPrismaParameters(url: string): string {
  const [base = '', query = ''] = url.split(/\?(.*)/s);
  const kept = query.split('&').filter((pair) => known.test(pair));
  if (!kept.some((pair) => pair.startsWith('uselibpqcompat='))) kept.push('uselibpqcompat=true');
  return `${base}?${kept.join('&')}`;
}

/** Empty as well for what is no URL, as a file that is just being written. */
function passwordOf(url: string): string {
  try {
    return new Client({ connectionString: withoutPrismaParameters(url) }).password ?? '';
  } catch {
    return '';
  }
}

/** What a URL says, taken apart: the password inside a connection string would go before one that is asked for. */
function partsOf(client: Client, url: string): ClientConfig {
  const { connectionParameters } = client as unknown as { connectionParameters: Record<string, unknown> };
  const names = ['user', 'host', 'port', 'database', 'ssl', 'sslnegotiation', 'client_encoding'];
  // PGOPTIONS is no part of the URL, and would go before what a session asks for itself.
  if (/[?&]options=/.test(url)) names.push('options');
  return Object.fromEntries(names.map((name) => [name, connectionParameters[name]]));
}

/** The parts of the address that may be shown. */
export function targetOf(config: ClientConfig, source: string): ConnectionTarget {
  const { user, host, port, database } = new Client(config);
  return {
    user: user ?? '',
    host: host.startsWith('/') ? host : `${host}:${port}`,
    database: database ?? '',
    source,
  };
}
