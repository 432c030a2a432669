import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { lastBackupAt } from '../../platform/database/last-backup.js';
import { HealthRegistry } from '../../platform/lifecycle/health-registry.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { Rooms } from '../../platform/realtime/rooms.js';
import { SendBuffer } from '../../platform/realtime/send-buffer.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import {
  blockCounts,
  indexStatistics,
  lockWaits,
  longTransactions,
  tableStatistics,
} from './database-statistics.repository.js';
import { indexAdvice } from './index-advice.rules.js';
import { MetricsService } from './metrics.service.js';
import { cacheHitRate } from './statistics.rules.js';
import { Traffic } from './traffic.service.js';

const figures = ['connections', 'users', 'rooms', 'eventsPerSec', 'bufferBytes'] as const;
type Figures = Record<(typeof figures)[number], number>;

/** How the database and the sockets do, for the pages of an operator. */
@Injectable()
export class StatisticsService implements OnModuleInit {
  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly health: HealthRegistry,
    private readonly replicas: ReplicaLease,
    private readonly rooms: Rooms,
    private readonly sockets: Sockets,
    private readonly metrics: MetricsService,
    private readonly traffic: Traffic,
  ) {}

  onModuleInit(): void {
    this.replicas.addStats(() => ({
      rooms: this.rooms.conversations,
      eventsPerSec: this.traffic.commandsPerSec,
      bufferBytes: this.bufferBytes(),
    }));
    if (this.config.ROLE === 'worker') return;
    this.health.register({
      name: 'sockets',
      critical: false,
      timeoutMs: 100,
      cacheMs: 0,
      check: () => ({
        state: this.rooms.serving ? 'healthy' : 'degraded',
        observed: { connections: this.sockets.size },
      }),
    });
  }

  /** Slow queries are those of this replica. */
  async databaseUse(actor: Actor) {
    requirePermission(actor, 'health.read');
    const [blocks, tables, indexes, transactions, locks, backup] = await Promise.all([
      blockCounts(this.database),
      tableStatistics(this.database),
      indexStatistics(this.database),
      longTransactions(this.database),
      lockWaits(this.database),
      lastBackupAt(this.database),
    ]);
    return {
      pool: this.metrics.pool(),
      cacheHitRate: cacheHitRate(blocks.hit, blocks.read),
      slowQueries: this.database.slowQueries
        .map(({ text, ms, at }) => ({ text, ms, at: at.toISOString() }))
        .toReversed(),
      tables,
      indexes,
      advice: indexAdvice(tables, indexes),
      longTransactions: transactions,
      locks,
      lastBackupAt: backup?.toISOString() ?? null,
    };
  }

  /** Other replicas as of the last renewal of their lease; a user connected to two replicas counts twice in the total. */
  async webSockets(actor: Actor) {
    requirePermission(actor, 'health.read');
    const own = { replicaId: this.replicas.replicaId, ...pick(this.replicas.ownStats()) };
    const others = (await this.replicas.living())
      .filter(({ replicaId }) => replicaId !== own.replicaId)
      .map(({ replicaId, stats }) => ({ replicaId, ...pick(stats) }));
    const replicas = [own, ...others];
    const sum = (name: keyof Figures) => replicas.reduce((total, replica) => total + replica[name], 0);
    return { total: Object.fromEntries(figures.map((name) => [name, sum(name)])), replicas };
  }

  private bufferBytes(): number {
    let bytes = 0;
    for (const { socket } of this.sockets) if (!SendBuffer.isEmpty(socket)) bytes += new SendBuffer(socket).bytes();
    return bytes;
  }
}

const pick = (stats: Record<string, number>): Figures => ({
  connections: stats['connections'] ?? 0,
  users: stats['users'] ?? 0,
  rooms: stats['rooms'] ?? 0,
  eventsPerSec: stats['eventsPerSec'] ?? 0,
  bufferBytes: stats['bufferBytes'] ?? 0,
});
