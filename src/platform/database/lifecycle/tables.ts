import { escapeIdentifier, escapeLiteral } from 'pg';

/** Qualified names and DDL of the tables the lifecycle keeps. */
export interface LifecycleTables {
  schema: string;
  /** Stock Prisma's history; same columns, same meaning. */
  history: string;
  home: string;
  meta: string;
  seeds: string;
  audit: string;
}

export const historyTable = '_prisma_migrations';

/** Two application schemas in one database must not share seeds and epoch, so only `public` uses the plain name. */
export const lifecycleSchema = (schema: string): string => (schema === 'public' ? 'lifecycle' : `lifecycle_${schema}`);

export function lifecycleTables(schema: string): LifecycleTables {
  const home = escapeIdentifier(lifecycleSchema(schema));
  return {
    schema: escapeIdentifier(schema),
    history: `${escapeIdentifier(schema)}.${historyTable}`,
    home,
    meta: `${home}.meta`,
    seeds: `${home}.seed_history`,
    audit: `${home}.audit`,
  };
}

/** As `prisma migrate` creates it. Only created together with its first row: an empty one disables Prisma's own P3005 check. */
export const createHistory = (t: LifecycleTables): string => `
  CREATE SCHEMA IF NOT EXISTS ${t.schema};
  CREATE TABLE IF NOT EXISTS ${t.history} (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  );`;

export const createHome = (t: LifecycleTables): string => `
  CREATE SCHEMA IF NOT EXISTS ${t.home};
  CREATE TABLE IF NOT EXISTS ${t.meta} (
    singleton  BOOLEAN PRIMARY KEY DEFAULT true CHECK (singleton),
    format     INTEGER NOT NULL,
    min_epoch  INTEGER NOT NULL DEFAULT 0,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS ${t.seeds} (
    name        TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    checksum    TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('once', 'repeatable')),
    applied_at  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    app_version TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    history_id  TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS ${t.audit} (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    action      TEXT NOT NULL,
    migration   TEXT,
    checksum    TEXT,
    detail      JSONB NOT NULL DEFAULT '{}',
    actor       TEXT NOT NULL DEFAULT current_user,
    app_version TEXT NOT NULL,
    host        TEXT NOT NULL
  );
  INSERT INTO ${t.meta} (format) VALUES (1) ON CONFLICT DO NOTHING;`;

export const literal = escapeLiteral;
