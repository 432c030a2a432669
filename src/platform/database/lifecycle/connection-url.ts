import type { ClientConfig } from 'pg';
import { Client } from 'pg';

import type { ConnectionTarget } from './diagnose.js';
import { LifecycleError } from './errors.js';

/** What may stand in the query part; Prisma's own parameters (`schema`, `connection_limit`, `pgbouncer` ...) are dropped. */
const known =
  /^(host|port|user|password|ssl|sslmode|sslcert|sslkey|sslrootcert|sslnegotiation|uselibpqcompat|options|client_encoding)=/;

/** Client settings of a connection URL. `sslmode` means what it means to libpq and Prisma: `require` does not verify. */
export function clientConfig(url: string, source: string): ClientConfig {
  const [base = '', query = ''] = url.split(/\?(.*)/s);
  const kept = query.split('&').filter((pair) => known.test(pair));
  if (!kept.some((pair) => pair.startsWith('uselibpqcompat='))) kept.push('uselibpqcompat=true');
  const config = { connectionString: `${base}?${kept.join('&')}` };
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('does not begin with postgresql://');
    const { port, database } = new Client(config);
    if (!Number.isInteger(port) || port <= 0) throw new Error('has a port that is not a number');
    if (!database) throw new Error('names no database');
    return config;
  } catch (error) {
    // The parser's own message may hold the URL.
    const why = error instanceof Error && /^(does not|has a|names no) /.test(error.message) ? error.message : undefined;
    throw new LifecycleError('config', `${source} is not a PostgreSQL URL: it ${why ?? 'cannot be parsed'}`, {
      hint: 'postgresql://user:password@host:5432/database, with @ : / ? # in the password percent-encoded',
    });
  }
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
