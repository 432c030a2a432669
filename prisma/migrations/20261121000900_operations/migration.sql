-- lifecycle: expand
-- Owner: operations. The columns of system_health_config are given: readers rely on their types.
-- squawk-ignore-file prefer-identity, prefer-text-field, prefer-timestamp-tz

DO $$ BEGIN
  IF to_regtype('"alert_level"') IS NULL THEN
    CREATE TYPE "alert_level" AS ENUM ('warning', 'critical');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "system_health_config" (
    "id" SERIAL NOT NULL,
    "thresholds" JSONB NOT NULL,
    "backupLocation" VARCHAR(255) NOT NULL,
    "refreshInterval" INTEGER NOT NULL DEFAULT 30000,
    "metricsRetentionDays" INTEGER NOT NULL DEFAULT 7,
    "aggregateRetentionDays" INTEGER NOT NULL DEFAULT 365,
    "updated_at" TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "system_health_config_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "system_metric_samples" (
    "id" UUID NOT NULL,
    "replica_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "reqCount" BIGINT NOT NULL,
    "errCount" BIGINT NOT NULL,
    "latency" DOUBLE PRECISION NOT NULL,
    "p50Latency" DOUBLE PRECISION NOT NULL,
    "p95Latency" DOUBLE PRECISION NOT NULL,
    "p99Latency" DOUBLE PRECISION NOT NULL,
    "errorRate" DOUBLE PRECISION NOT NULL,
    "cacheHitRate" DOUBLE PRECISION NOT NULL,
    "slowQueries" BIGINT NOT NULL,
    "cpuUsage" DOUBLE PRECISION NOT NULL,
    "memoryUsage" DOUBLE PRECISION NOT NULL,
    "wsConnections" BIGINT NOT NULL,
    "outboxDepth" BIGINT NOT NULL,
    "loopDelay" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "system_metric_samples_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "system_metric_daily" (
    "day" DATE NOT NULL,
    "replica_id" UUID NOT NULL,
    "samples" BIGINT NOT NULL,
    "reqCountSum" BIGINT NOT NULL,
    "errCountSum" BIGINT NOT NULL,
    "slowQueriesSum" BIGINT NOT NULL,
    "latencyAvg" DOUBLE PRECISION NOT NULL,
    "latencyMax" DOUBLE PRECISION NOT NULL,
    "p50LatencyAvg" DOUBLE PRECISION NOT NULL,
    "p50LatencyMax" DOUBLE PRECISION NOT NULL,
    "p95LatencyAvg" DOUBLE PRECISION NOT NULL,
    "p95LatencyMax" DOUBLE PRECISION NOT NULL,
    "p99LatencyAvg" DOUBLE PRECISION NOT NULL,
    "p99LatencyMax" DOUBLE PRECISION NOT NULL,
    "errorRateAvg" DOUBLE PRECISION NOT NULL,
    "errorRateMax" DOUBLE PRECISION NOT NULL,
    "cacheHitRateAvg" DOUBLE PRECISION NOT NULL,
    "cacheHitRateMax" DOUBLE PRECISION NOT NULL,
    "cpuUsageAvg" DOUBLE PRECISION NOT NULL,
    "cpuUsageMax" DOUBLE PRECISION NOT NULL,
    "memoryUsageAvg" DOUBLE PRECISION NOT NULL,
    "memoryUsageMax" DOUBLE PRECISION NOT NULL,
    "wsConnectionsAvg" DOUBLE PRECISION NOT NULL,
    "wsConnectionsMax" DOUBLE PRECISION NOT NULL,
    "outboxDepthAvg" DOUBLE PRECISION NOT NULL,
    "outboxDepthMax" DOUBLE PRECISION NOT NULL,
    "loopDelayAvg" DOUBLE PRECISION NOT NULL,
    "loopDelayMax" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "system_metric_daily_pkey" PRIMARY KEY ("day","replica_id")
);

CREATE TABLE IF NOT EXISTS "health_alerts" (
    "id" UUID NOT NULL,
    "metric" TEXT NOT NULL,
    "level" "alert_level" NOT NULL,
    "replica_id" UUID,
    "value" DOUBLE PRECISION NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),

    CONSTRAINT "health_alerts_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "load_test_reports" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "scenario" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3) NOT NULL,
    "summary" JSONB NOT NULL,
    "created_by" UUID NOT NULL,

    CONSTRAINT "load_test_reports_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "rate_limit_violations" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "rule" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "user_id" UUID,
    "ip_hash" TEXT NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "rate_limit_violations_pkey" PRIMARY KEY ("id")
);

CREATE INDEX IF NOT EXISTS "system_metric_samples_at_idx" ON "system_metric_samples"("at");

CREATE INDEX IF NOT EXISTS "system_metric_samples_replica_id_at_idx" ON "system_metric_samples"("replica_id", "at");

CREATE INDEX IF NOT EXISTS "load_test_reports_scenario_started_at_idx" ON "load_test_reports"("scenario", "started_at");

CREATE INDEX IF NOT EXISTS "rate_limit_violations_at_idx" ON "rate_limit_violations"("at");

CREATE INDEX IF NOT EXISTS "rate_limit_violations_rule_at_idx" ON "rate_limit_violations"("rule", "at");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'system_health_config_singleton_check' AND conrelid = '"system_health_config"'::regclass) THEN
    ALTER TABLE "system_health_config" ADD CONSTRAINT "system_health_config_singleton_check" CHECK ("id" = 1);
  END IF;
END $$;

-- One open alert per metric and replica. NULLS NOT DISTINCT would need PostgreSQL 15.
CREATE UNIQUE INDEX IF NOT EXISTS "health_alerts_open_key" ON "health_alerts"("metric", COALESCE("replica_id", '00000000-0000-0000-0000-000000000000'::uuid)) WHERE "resolved_at" IS NULL;
