import type { Client } from 'pg';

import type { Lane, Manifest } from './manifest.js';

/** Settings that concern the schema; names follow the environment variables of the boot guide. Times in ms. */
export interface LifecycleSettings {
  /** `verify` never locks and never writes: it waits until somebody else has migrated. */
  migrate: 'auto' | 'verify';
  adopt: 'off' | 'exact';
  repair: 'off' | 'additive';
  ahead: 'compatible' | 'refuse';
  outOfOrder: 'warn' | 'refuse';
  drift: 'warn' | 'strict';
  pooler: 'xact' | 'refuse';
  /** Longest time without progress, anywhere. */
  deadlineMs: number;
  /** Longest wait for a live holder of the migration lock. */
  lockTimeoutMs: number;
  connectDelayMs: number;
  /** One connection attempt may take so long. */
  connectTimeoutMs: number;
  /** Attempts after which failures are logged as errors; attempts go on until the deadline. */
  connectMaxRetries: number;
  /** How long a blocked boot waits, without the lock, for a decision made in another shell. */
  blockedHoldMs: number;
  /** How long a failed boot stays up so that a probe can read the reason. */
  failHoldMs: number;
  migrationLockTimeoutMs: number;
  migrationLockRetries: number;
  /** 0 = no limit. */
  migrationStatementTimeoutMs: number;
  /** A session silent for this long is ended by the server, so a frozen process cannot keep the lock. */
  idleTimeoutMs: number;
  /** Interval of the sign of life on the session; three missed ones abort the boot. */
  heartbeatMs: number;
}

export const defaultSettings: Readonly<LifecycleSettings> = {
  migrate: 'auto',
  adopt: 'off',
  repair: 'off',
  ahead: 'compatible',
  outOfOrder: 'warn',
  drift: 'warn',
  pooler: 'xact',
  deadlineMs: 300_000,
  lockTimeoutMs: 900_000,
  connectDelayMs: 2_000,
  connectTimeoutMs: 5_000,
  connectMaxRetries: 5,
  blockedHoldMs: 60_000,
  failHoldMs: 5_000,
  migrationLockTimeoutMs: 5_000,
  migrationLockRetries: 8,
  migrationStatementTimeoutMs: 0,
  idleTimeoutMs: 60_000,
  heartbeatMs: 15_000,
};

/** The transaction a seed writes in. It has no `COMMIT` and ends with the seed's own history row. */
export interface SeedTransaction {
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number }>;
}

/** Essential data. Must be an upsert: it may run again after a reset or, if repeatable, after a change. */
export interface Seed {
  name: string;
  version: number;
  kind: 'once' | 'repeatable';
  /** Of the data a repeatable seed writes; it runs again when this changes. Default: derived from name and version. */
  checksum?: string;
  run(tx: SeedTransaction): Promise<void>;
}

/** The lifecycle's own, and `starting`, in which the application's first statements may still wait for the server. */
export type LifecyclePhase =
  | 'connecting'
  | 'preflight'
  | 'checking'
  | 'waiting_lock'
  | 'reconciling'
  | 'migrating'
  | 'seeding'
  | 'verifying'
  | 'verified'
  | 'starting';

/** What a probe shows while a phase runs. */
export interface PhaseDetail {
  /** ISO instant at which the phase, or its current step, began. */
  since: string;
  step?: { i: number; n: number; name: string };
  /** Who has the lock, in words. */
  holder?: string;
  attempt?: number;
  /** Class of the last connection error: refused, timeout, auth ... */
  class?: string;
  code?: string;
  hint?: string;
}

export interface LockHolder {
  pid: number;
  application: string;
  state: string | null;
  ageMs: number;
  keys: readonly number[];
  /** Progress of a running index build, in words. */
  activity?: string;
}

/** Everything the lifecycle reports, one object per log line. */
export type LifecycleEvent =
  | {
      event: 'db.connect_retry';
      attempt: number;
      class: string;
      code?: string;
      error: string;
      delayMs: number;
      hint?: string;
    }
  | { event: 'db.connect_fatal'; attempt: number; class: string; code?: string; error: string; hint: string }
  | { event: 'db.connected'; attempt: number; serverVersion: string; pid: number }
  | { event: 'db.pooler_detected'; policy: string }
  | { event: 'db.warning'; warning: string; hint: string }
  | { event: 'db.connection_lost'; code?: string; error: string }
  | { event: 'lock.waiting'; waitedMs: number; holders: readonly LockHolder[] }
  | { event: 'lock.acquired'; waitedMs: number }
  | { event: 'lock.released'; heldMs: number }
  | { event: 'migration.plan'; pending: readonly string[]; seeds: readonly string[]; actions: readonly string[] }
  | { event: 'migration.started'; migration: string; lane: Lane; i: number; n: number }
  | { event: 'migration.lock_retry'; migration: string; code: string; attempt: number; delayMs: number }
  | { event: 'migration.applied'; migration: string; durationMs: number; i: number; n: number }
  | { event: 'migration.failed'; migration: string; code?: string; error: string; line?: number; quarantined: boolean }
  | { event: 'migration.quarantined'; migration: string; error: string; hint: string }
  | { event: 'migration.out_of_order'; migration: string; newest: string }
  | {
      event: 'history.resolved';
      migration: string;
      as: 'applied' | 'rolled_back' | 'retry' | 'checksum';
      reason: string;
    }
  | { event: 'history.adopted'; through: string; count: number }
  | { event: 'schema.repaired'; statement: string; durationMs: number }
  | { event: 'seed.applied'; seed: string; version: number; durationMs: number }
  | {
      event: 'schema.drift';
      severity: 'fatal' | 'policy' | 'info';
      object: string;
      expected: string;
      found: string;
      command?: string;
    }
  | { event: 'schema.ahead'; unknown: readonly string[]; minEpoch: number; epoch: number }
  | {
      event: 'schema.verified';
      head: string | null;
      epoch: number;
      fingerprint: string | null;
      fastPath: boolean;
      ahead: boolean;
    }
  | { event: 'boot.blocked'; error: string; exitCode: number; hint?: string; holdMs: number }
  | { event: 'boot.failed'; error: string; exitCode: number; code?: string; hint?: string }
  | { event: 'boot.aborted'; error: string; exitCode: number };

/** An event as `report` receives it: with the phase it happened in and ms since the lifecycle began. */
export type ReportedEvent = LifecycleEvent & { phase: LifecyclePhase; ms: number; level: 'info' | 'warn' | 'error' };

export interface LifecycleOptions {
  /** DATABASE_DIRECT_URL, else DATABASE_URL. A Prisma style `?schema=` and pool parameters are tolerated. */
  connectionString: string;
  /** Which variable supplied it; named in diagnoses. Default `DATABASE_URL`. */
  urlSource?: string;
  /** The app pool's URL when it differs: its role must have table rights, its TimeZone is probed. */
  appConnectionString?: string;
  /** Application schema. Default `public`. */
  schema?: string;
  migrationsDir: string;
  /** The schema this build expects; without it no structure is verified (only until the first one is built). */
  manifest?: Manifest;
  seeds?: readonly Seed[];
  appVersion: string;
  /** Shown to those who wait for the lock. Default: the machine's host name. */
  host?: string;
  settings?: Partial<LifecycleSettings>;
  /** A connection opened early by `openConnection`, to overlap the handshake with module loading. */
  connection?: Promise<Client>;
  /** Until it resolves nothing is locked or written; reading goes on. Absent: at once. */
  mayWrite?: Promise<void>;
  signal?: AbortSignal;
  report?(event: ReportedEvent): void;
  onPhase?(phase: LifecyclePhase, detail: PhaseDetail): void;
}

export interface LifecycleResult {
  /** Newest applied migration this build knows; null without any. */
  head: string | null;
  epoch: number;
  /** Fingerprint of the live schema; null when no manifest was given. */
  fingerprint: string | null;
  /** The database is newer than this build, and compatible. */
  ahead: boolean;
  /** The lifecycle connection went through a transaction pooler. */
  pooler: boolean;
  applied: readonly string[];
  seeded: readonly string[];
  /** This process did not need the lock: there was nothing to do, or another replica did it. */
  fastPath: boolean;
  /** Milliseconds spent per phase, in order of first entry. */
  phases: Readonly<Partial<Record<LifecyclePhase, number>>>;
}

/** A blocked boot re-checks after this long. */
export const blockedRecheckMs = 5_000;
