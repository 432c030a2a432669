-- lifecycle: expand
-- Owner: presence.

DO $$ BEGIN
  IF to_regtype('"presence_activity"') IS NULL THEN
    CREATE TYPE "presence_activity" AS ENUM ('active', 'idle', 'dnd');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"presence_mode"') IS NULL THEN
    CREATE TYPE "presence_mode" AS ENUM ('auto', 'dnd', 'invisible');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "presence_entries" (
    "user_id" UUID NOT NULL,
    "replica_id" UUID NOT NULL,
    "state" "presence_activity" NOT NULL DEFAULT 'active',
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "presence_entries_pkey" PRIMARY KEY ("user_id","replica_id")
);

CREATE TABLE IF NOT EXISTS "presence_state" (
    "user_id" UUID NOT NULL,
    "is_online" BOOLEAN NOT NULL DEFAULT false,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "mode" "presence_mode" NOT NULL DEFAULT 'auto',
    "ver" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "presence_state_pkey" PRIMARY KEY ("user_id")
);

CREATE INDEX IF NOT EXISTS "presence_entries_replica_id_idx" ON "presence_entries"("replica_id");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'presence_state_user_id_fkey' AND conrelid = '"presence_state"'::regclass) THEN
    ALTER TABLE "presence_state" ADD CONSTRAINT "presence_state_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

CREATE INDEX IF NOT EXISTS "presence_state_last_seen_at_idx" ON "presence_state"("last_seen_at") WHERE "is_online";
