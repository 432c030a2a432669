import { join } from 'node:path';
import type { TcpProxy, Upstream } from '../../support/tcp-proxy.js';

/** Where a connection URL really leads: the embedded server listens on a unix socket or a loopback port. */
export function upstreamOf(url: string): Upstream {
  const parsed = new URL(url);
  const host = parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname);
  const port = parsed.searchParams.get('port') ?? (parsed.port || '5432');
  return host.startsWith('/') ? { path: join(host, `.s.PGSQL.${port}`) } : { host, port: Number(port) };
}

/** The same user, password and database by way of the proxy. */
export function throughProxy(url: string, proxy: Pick<TcpProxy, 'port'>): string {
  const { username, password, pathname } = new URL(url);
  return `postgresql://${username}:${password}@127.0.0.1:${proxy.port}${pathname}`;
}
