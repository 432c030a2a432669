import type { Cluster, Redis } from 'ioredis';
import type { Config } from '../config/config.js';

const COMMAND_LIMIT_MS = 250;

/** A connection to the server, or to every node of the cluster. A command that cannot be sent fails at once, and the local count takes over. */
export async function connectRedis(
  url: string,
  { REDIS_CLUSTER, redisTransport }: Pick<Config, 'REDIS_CLUSTER' | 'redisTransport'>,
): Promise<Redis | Cluster> {
  const ioredis = await import('ioredis');
  const options = {
    ...redisTransport,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_LIMIT_MS,
    disconnectTimeout: COMMAND_LIMIT_MS,
  };
  if (!REDIS_CLUSTER) return new ioredis.Redis(url, { ...options, enableOfflineQueue: false });
  const { username, password } = new URL(url);
  return new ioredis.Cluster([url], {
    enableOfflineQueue: false,
    // Certificates of a cluster are for names, which a look-up would turn into addresses.
    dnsLookup: (address, done) => done(null, address),
    // Nodes that the cluster names are entered like the first one.
    redisOptions: {
      ...options,
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    },
  });
}
