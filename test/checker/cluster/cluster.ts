import { Client } from 'pg';
import { startServer, type TestServer } from '../../support/postgres.js';
import { Random } from '../random.js';
import { RedisServer } from './redis.js';
import { Replica } from './replica.js';

export type BusKind = 'pg' | 'redis';

export interface ClusterOptions {
  replicas: number;
  bus: BusKind;
  entry: string;
  seed: string;
  environment?: Record<string, string>;
}

/** Parley on several processes, with everything around them that can fail. */
export class Cluster {
  private constructor(
    readonly replicas: readonly Replica[],
    readonly postgres: TestServer,
    readonly redis: RedisServer | undefined,
  ) {}

  static async start({ replicas, bus, entry, seed, environment = {} }: ClusterOptions): Promise<Cluster> {
    // Survives the death of every process; the machine itself is not going to fail.
    const postgres = await startServer({
      settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'on', max_connections: '150' },
    });
    const redis = bus === 'redis' ? await RedisServer.start() : undefined;
    const random = new Random(`${seed}/bus`).next;
    const options = {
      entry,
      databaseUrl: postgres.url,
      random,
      environment: { ...(redis ? { REDIS_URL: redis.url } : {}), ...environment },
    };
    const started = await Promise.all(Array.from({ length: replicas }, () => Replica.create(options)));
    const cluster = new Cluster(started, postgres, redis);
    try {
      await Promise.all(started.map((replica) => replica.start()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** @throws when a replica ended without being told to: nothing the nemesis does is a reason to */
  assertAlive(): void {
    const died = this.replicas.flatMap(({ died: how }, i) => (how === undefined ? [] : [`replica ${i} ${how}`]));
    if (died.length > 0) throw new Error(died.join('\n'));
  }

  async query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.postgres.url });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    this.redis?.thaw();
    await this.redis?.kill();
    await this.postgres.stop();
  }
}
