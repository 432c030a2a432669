-- lifecycle: expand
-- Owner: notifications.

DO $$ BEGIN
  IF to_regtype('"decision_outcome"') IS NULL THEN
    CREATE TYPE "decision_outcome" AS ENUM ('pending', 'sent', 'collapsed', 'suppressed', 'failed');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"webhook_delivery_state"') IS NULL THEN
    CREATE TYPE "webhook_delivery_state" AS ENUM ('pending', 'delivered', 'failed');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "push_devices" (
    "user_id" UUID NOT NULL,
    "device_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "token_enc" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "app_version" TEXT,
    "locale" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "rev" BIGINT NOT NULL,
    "last_ok_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "push_devices_pkey" PRIMARY KEY ("user_id","device_id")
);

CREATE TABLE IF NOT EXISTS "notification_decisions" (
    "message_id" UUID NOT NULL,
    "device_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "decision" "decision_outcome" NOT NULL DEFAULT 'pending',
    "reason" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "collapse_key" TEXT NOT NULL,
    "attempts" BIGINT NOT NULL DEFAULT 0,
    "provider_status" TEXT,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_decisions_pkey" PRIMARY KEY ("message_id","user_id","device_id")
);

CREATE TABLE IF NOT EXISTS "notifications" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "dedupe_key" TEXT NOT NULL,
    "actor_id" UUID,
    "conversation_id" UUID,
    "seq" BIGINT,
    "data" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "read_at" TIMESTAMPTZ(3),
    "dismissed_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "webhook_endpoints" (
    "id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "description" TEXT,
    "secret_enc" TEXT NOT NULL,
    "events" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "failures" BIGINT NOT NULL DEFAULT 0,
    "disabled_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "webhook_deliveries" (
    "id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "state" "webhook_delivery_state" NOT NULL DEFAULT 'pending',
    "attempts" BIGINT NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3),
    "last_status" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

CREATE INDEX IF NOT EXISTS "push_devices_user_id_rev_idx" ON "push_devices"("user_id", "rev");

CREATE INDEX IF NOT EXISTS "notification_decisions_user_id_decided_at_idx" ON "notification_decisions"("user_id", "decided_at");

CREATE INDEX IF NOT EXISTS "notification_decisions_decided_at_idx" ON "notification_decisions"("decided_at");

CREATE INDEX IF NOT EXISTS "notifications_user_id_id_idx" ON "notifications"("user_id", "id" DESC);

CREATE INDEX IF NOT EXISTS "notifications_user_id_rev_idx" ON "notifications"("user_id", "rev");

CREATE UNIQUE INDEX IF NOT EXISTS "notifications_user_id_dedupe_key_key" ON "notifications"("user_id", "dedupe_key");

CREATE INDEX IF NOT EXISTS "webhook_deliveries_state_next_at_idx" ON "webhook_deliveries"("state", "next_at");

CREATE UNIQUE INDEX IF NOT EXISTS "webhook_deliveries_endpoint_id_event_id_key" ON "webhook_deliveries"("endpoint_id", "event_id");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'push_devices_user_id_fkey' AND conrelid = '"push_devices"'::regclass) THEN
    ALTER TABLE "push_devices" ADD CONSTRAINT "push_devices_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'notifications_user_id_fkey' AND conrelid = '"notifications"'::regclass) THEN
    ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'notifications_actor_id_fkey' AND conrelid = '"notifications"'::regclass) THEN
    ALTER TABLE "notifications" ADD CONSTRAINT "notifications_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'notifications_conversation_id_fkey' AND conrelid = '"notifications"'::regclass) THEN
    ALTER TABLE "notifications" ADD CONSTRAINT "notifications_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'webhook_deliveries_endpoint_id_fkey' AND conrelid = '"webhook_deliveries"'::regclass) THEN
    ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  END IF;
END $$;

CREATE UNIQUE INDEX IF NOT EXISTS "push_devices_provider_token_hash_key" ON "push_devices"("provider", "token_hash") WHERE "deleted_at" IS NULL;

CREATE INDEX IF NOT EXISTS "notifications_unread_idx" ON "notifications"("user_id") WHERE "read_at" IS NULL AND "dismissed_at" IS NULL;
