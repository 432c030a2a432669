/** What the operator's routes answer, as far as this page shows it. */
export type Level = 'ok' | 'warn' | 'bad' | 'unknown';

export interface Sample {
  id: string;
  replicaId: string;
  at: string;
  reqCount: number;
  errCount: number;
  latency: number;
  p95Latency: number;
  errorRate: number;
  cacheHitRate: number;
  slowQueries: number;
  cpuUsage: number;
  memoryUsage: number;
  wsConnections: number;
  loopDelay: number;
}

export interface JobStatus {
  name: string;
  running: boolean;
  lastRunAt: string | null;
  lastResult: string | null;
  nextRunAt: string | null;
}

export interface Health {
  status: 'ok' | 'degraded' | 'error';
  details: Record<string, { status: 'up' | 'degraded' | 'down'; [fact: string]: unknown }>;
  timestamp: string;
  uptime: number;
  version: string;
  phase: string;
  schema: { ok: boolean; head: string | null; missing: string[] };
  boot: { phase: string; ms: number }[];
  replicaId: string;
  replicas: { replicaId: string; host: string; version: string; startedAt: string }[] | null;
  jobs: { here: JobStatus[] };
  pool: { total: number; idle: number; waiting: number };
  breakers: Record<string, 'closed' | 'half_open' | 'open'>;
  load: Record<string, number>;
  errors: { fingerprint: string; name: string; where: string; count: number; lastSeenAt: number }[];
  recentSamples: Sample[];
}

/** From /health, which asks nobody and needs no token. */
export interface Live {
  status: string;
  version: string;
  uptime: number;
  phase: string;
  database: 'connecting' | 'ready' | 'degraded' | 'down';
}

export const metricNames = [
  'latency',
  'p95Latency',
  'errorRate',
  'cacheHitRate',
  'slowQueries',
  'cpuUsage',
  'memoryUsage',
] as const;
export type MetricName = (typeof metricNames)[number];
export interface Threshold {
  warning: number;
  critical: number;
}

export interface Settings {
  thresholds: Record<MetricName, Threshold>;
  backupLocation: string;
  refreshInterval: number;
  metricsRetentionDays: number;
  aggregateRetentionDays: number;
  updatedAt: string;
}

export interface Page<Item> {
  items: Item[];
  /** Cursor of the rest. */
  next: string | null;
}

export interface Alert {
  id: string;
  metric: string;
  level: 'warning' | 'critical';
  replicaId: string | null;
  value: number;
  threshold: number;
  openedAt: string;
}

export interface SocketFigures {
  connections: number;
  users: number;
  rooms: number;
  eventsPerSec: number;
  bufferBytes: number;
}
export interface SocketStats {
  total: SocketFigures;
  replicas: (SocketFigures & { replicaId: string })[];
}

export interface QueueDepth {
  queue: string;
  waiting: number;
  later: number;
  oldestSeconds: number;
  deadLetters: number;
}
export interface DeadLetter {
  id: string;
  queue: string;
  topic: string;
  reason: string;
  attempts: number;
  createdAt: string;
  replayedAt: string | null;
}

export interface DatabaseUse {
  pool: Health['pool'];
  cacheHitRate: number;
  slowQueries: { text: string; ms: number; at: string }[];
  tables: { table: string; bytes: number; rows: number; deadRows: number }[];
  advice: { table: string; index: string | null; advice: 'missing' | 'unused'; reason: string }[];
  longTransactions: {
    pid: number;
    application: string;
    state: string | null;
    seconds: number;
    waitsFor: string | null;
  }[];
  locks: {
    pid: number;
    application: string;
    blockedBy: number[];
    mode: string;
    relation: string | null;
    seconds: number | null;
  }[];
  lastBackupAt: string | null;
}

export interface Violation {
  id: string;
  at: string;
  rule: string;
  route: string;
  keyHash: string;
  count: number;
}

export interface LoadReport {
  id: string;
  name: string;
  scenario: string;
  version: string;
  finishedAt: string;
  summary: Record<string, unknown>;
}

export interface AuditEntry {
  id: string;
  at: string;
  actorId: string | null;
  action: string;
  targetType: string;
  targetId: string | null;
}

export interface Day {
  day: string;
  replicaId: string;
  samples: number;
  reqCountSum: number;
  errCountSum: number;
}

/** Shares of requests in percent; null without a request. */
export interface Availability {
  target: number;
  windows: { days: number; availability: number | null }[];
}
