-- lifecycle: expand
-- Owner: users.

-- Trigram search in users, conversations and messages. Trusted, so no superuser is needed. In `public` where possible, for
-- an extension exists once per database and every schema in it must find this one.
DO $$ BEGIN
  IF to_regnamespace('public') IS NOT NULL AND has_schema_privilege('public', 'CREATE') THEN
    CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
  ELSE
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"user_state"') IS NULL THEN
    CREATE TYPE "user_state" AS ENUM ('active', 'suspended', 'deleted');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"session_kind"') IS NULL THEN
    CREATE TYPE "session_kind" AS ENUM ('builtin', 'external');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"otp_purpose"') IS NULL THEN
    CREATE TYPE "otp_purpose" AS ENUM ('login', 'verify', 'reset_password');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"export_state"') IS NULL THEN
    CREATE TYPE "export_state" AS ENUM ('pending', 'ready', 'failed');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "users" (
    "id" UUID NOT NULL,
    "handle" TEXT,
    "display_name" TEXT NOT NULL,
    "bio" TEXT,
    "avatar_media_id" UUID,
    "email" TEXT,
    "phone" TEXT,
    "email_verified_at" TIMESTAMPTZ(3),
    "phone_verified_at" TIMESTAMPTZ(3),
    "password" TEXT,
    "locale" TEXT NOT NULL DEFAULT 'en',
    "time_zone" TEXT NOT NULL DEFAULT 'UTC',
    "state" "user_state" NOT NULL DEFAULT 'active',
    "suspended_until" TIMESTAMPTZ(3),
    "suspend_reason" TEXT,
    "deleted_at" TIMESTAMPTZ(3),
    "erase_after" TIMESTAMPTZ(3),
    "erased_at" TIMESTAMPTZ(3),
    "last_login_at" TIMESTAMPTZ(3),
    "rev" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "user_head" (
    "user_id" UUID NOT NULL,
    "rev" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "user_head_pkey" PRIMARY KEY ("user_id")
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS "user_identities" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_identities_pkey" PRIMARY KEY ("issuer","subject")
);

CREATE TABLE IF NOT EXISTS "user_sessions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kind" "session_kind" NOT NULL,
    "issuer" TEXT,
    "device_id" TEXT NOT NULL,
    "name" TEXT,
    "platform" TEXT NOT NULL,
    "ip_hash" TEXT NOT NULL,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revoke_reason" TEXT,

    CONSTRAINT "user_sessions_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "refresh_tokens" (
    "id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "token_hash" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "rotated_at" TIMESTAMPTZ(3),
    "successor_id" UUID,

    CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "otp_tokens" (
    "id" UUID NOT NULL,
    "identifier_hash" TEXT NOT NULL,
    "purpose" "otp_purpose" NOT NULL,
    "code_hash" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "ip_hash" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "otp_tokens_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "contacts" (
    "owner_id" UUID NOT NULL,
    "target_id" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "contacts_pkey" PRIMARY KEY ("owner_id","target_id")
);

CREATE TABLE IF NOT EXISTS "user_blocks" (
    "owner_id" UUID NOT NULL,
    "target_id" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "user_blocks_pkey" PRIMARY KEY ("owner_id","target_id")
);

CREATE TABLE IF NOT EXISTS "user_preferences" (
    "user_id" UUID NOT NULL,
    "notifications" JSONB NOT NULL,
    "privacy" JSONB NOT NULL,
    "rev" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_preferences_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE IF NOT EXISTS "data_exports" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "state" "export_state" NOT NULL DEFAULT 'pending',
    "storage_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "data_exports_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "recent_activity" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "session_id" UUID,
    "ip_hash" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recent_activity_pkey" PRIMARY KEY ("id")
);

-- The operator class is named with the schema that pg_trgm is in: it need not be ours.
DO $$ BEGIN
  EXECUTE (
    SELECT format('CREATE INDEX IF NOT EXISTS "users_search_idx" ON "users" USING GIN ("handle" %1$s.gin_trgm_ops, "display_name" %1$s.gin_trgm_ops)', extnamespace::regnamespace)
    FROM pg_extension WHERE extname = 'pg_trgm'
  );
END $$;

CREATE INDEX IF NOT EXISTS "user_identities_user_id_idx" ON "user_identities"("user_id");

CREATE UNIQUE INDEX IF NOT EXISTS "refresh_tokens_token_hash_key" ON "refresh_tokens"("token_hash");

CREATE INDEX IF NOT EXISTS "refresh_tokens_session_id_idx" ON "refresh_tokens"("session_id");

CREATE INDEX IF NOT EXISTS "otp_tokens_identifier_hash_purpose_sent_at_idx" ON "otp_tokens"("identifier_hash", "purpose", "sent_at" DESC);

CREATE INDEX IF NOT EXISTS "contacts_owner_id_rev_idx" ON "contacts"("owner_id", "rev");

CREATE INDEX IF NOT EXISTS "contacts_target_id_idx" ON "contacts"("target_id");

CREATE INDEX IF NOT EXISTS "user_blocks_owner_id_rev_idx" ON "user_blocks"("owner_id", "rev");

CREATE INDEX IF NOT EXISTS "user_blocks_target_id_idx" ON "user_blocks"("target_id");

CREATE INDEX IF NOT EXISTS "data_exports_user_id_idx" ON "data_exports"("user_id");

CREATE INDEX IF NOT EXISTS "recent_activity_user_id_id_idx" ON "recent_activity"("user_id", "id" DESC);

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_head_user_id_fkey' AND conrelid = '"user_head"'::regclass) THEN
    ALTER TABLE "user_head" ADD CONSTRAINT "user_head_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_identities_user_id_fkey' AND conrelid = '"user_identities"'::regclass) THEN
    ALTER TABLE "user_identities" ADD CONSTRAINT "user_identities_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_sessions_user_id_fkey' AND conrelid = '"user_sessions"'::regclass) THEN
    ALTER TABLE "user_sessions" ADD CONSTRAINT "user_sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'refresh_tokens_session_id_fkey' AND conrelid = '"refresh_tokens"'::regclass) THEN
    ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "user_sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'contacts_owner_id_fkey' AND conrelid = '"contacts"'::regclass) THEN
    ALTER TABLE "contacts" ADD CONSTRAINT "contacts_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'contacts_target_id_fkey' AND conrelid = '"contacts"'::regclass) THEN
    ALTER TABLE "contacts" ADD CONSTRAINT "contacts_target_id_fkey" FOREIGN KEY ("target_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_blocks_owner_id_fkey' AND conrelid = '"user_blocks"'::regclass) THEN
    ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_blocks_target_id_fkey' AND conrelid = '"user_blocks"'::regclass) THEN
    ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_target_id_fkey" FOREIGN KEY ("target_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_preferences_user_id_fkey' AND conrelid = '"user_preferences"'::regclass) THEN
    ALTER TABLE "user_preferences" ADD CONSTRAINT "user_preferences_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'data_exports_user_id_fkey' AND conrelid = '"data_exports"'::regclass) THEN
    ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'recent_activity_user_id_fkey' AND conrelid = '"recent_activity"'::regclass) THEN
    ALTER TABLE "recent_activity" ADD CONSTRAINT "recent_activity_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

-- Free again once the account is deleted.
CREATE UNIQUE INDEX IF NOT EXISTS "users_handle_key" ON "users"(lower("handle")) WHERE "deleted_at" IS NULL;

CREATE UNIQUE INDEX IF NOT EXISTS "users_email_key" ON "users"(lower("email")) WHERE "deleted_at" IS NULL;

CREATE UNIQUE INDEX IF NOT EXISTS "users_phone_key" ON "users"("phone") WHERE "deleted_at" IS NULL;

-- Only what waits to be erased.
CREATE INDEX IF NOT EXISTS "users_erase_after_idx" ON "users"("erase_after") WHERE "erase_after" IS NOT NULL AND "erased_at" IS NULL;

CREATE INDEX IF NOT EXISTS "user_sessions_user_id_idx" ON "user_sessions"("user_id") WHERE "revoked_at" IS NULL;

CREATE UNIQUE INDEX IF NOT EXISTS "user_sessions_user_id_issuer_device_id_key" ON "user_sessions"("user_id", "issuer", "device_id") WHERE "kind" = 'external';

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'contacts_other_check' AND conrelid = '"contacts"'::regclass) THEN
    ALTER TABLE "contacts" ADD CONSTRAINT "contacts_other_check" CHECK ("owner_id" <> "target_id");
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_blocks_other_check' AND conrelid = '"user_blocks"'::regclass) THEN
    ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_other_check" CHECK ("owner_id" <> "target_id");
  END IF;
END $$;

-- user_advance(user, revs) -> rev before the step
--
-- Draws `revs` numbers of one user's feed; the caller stamps its rows rev + 1 .. rev + revs. The row stays locked until
-- the transaction ends, which orders the feed. Errors: PA404, no such user. Lock order: user heads come last, after any
-- conversation head and memberships, in ascending user id (use user_advance_many for several).
CREATE OR REPLACE FUNCTION user_advance(p_user uuid, p_revs integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
BEGIN
  UPDATE user_head AS h SET rev = h.rev + p_revs WHERE h.user_id = p_user RETURNING h.rev - p_revs INTO before;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no user %', p_user USING ERRCODE = 'PA404';
  END IF;
  RETURN before;
END $$;

-- user_advance_many(users, revs) -> rows (user_id, rev_before)
--
-- The same step for many feeds, each user once (repeats are ignored), locked in ascending user id. Ids without a head
-- yield no row. Rows come in no particular order.
CREATE OR REPLACE FUNCTION user_advance_many(p_users uuid[], p_revs integer) RETURNS TABLE (user_id uuid, rev_before bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM user_head AS h WHERE h.user_id = ANY (p_users) ORDER BY h.user_id FOR NO KEY UPDATE;
  RETURN QUERY
    UPDATE user_head AS h SET rev = h.rev + p_revs WHERE h.user_id = ANY (p_users) RETURNING h.user_id, h.rev - p_revs;
END $$;

-- users_blocked(a, b) -> whether either has blocked the other
CREATE OR REPLACE FUNCTION users_blocked(p_a uuid, p_b uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM user_blocks AS b
    WHERE b.deleted_at IS NULL AND ((b.owner_id = p_a AND b.target_id = p_b) OR (b.owner_id = p_b AND b.target_id = p_a))
  );
END $$;
