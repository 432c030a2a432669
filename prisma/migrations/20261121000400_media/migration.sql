-- lifecycle: expand
-- Owner: media.

DO $$ BEGIN
  IF to_regtype('"media_purpose"') IS NULL THEN
    CREATE TYPE "media_purpose" AS ENUM ('attachment', 'avatar');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"media_state"') IS NULL THEN
    CREATE TYPE "media_state" AS ENUM ('pending', 'uploaded', 'processing', 'ready', 'rejected', 'quarantined', 'deleted');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "media_objects" (
    "id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "purpose" "media_purpose" NOT NULL,
    "name" TEXT NOT NULL,
    "mime_claimed" TEXT NOT NULL,
    "mime" TEXT,
    "size" BIGINT NOT NULL,
    "sha256" TEXT,
    "storage_key" TEXT NOT NULL,
    "driver" TEXT NOT NULL,
    "state" "media_state" NOT NULL DEFAULT 'pending',
    "width" BIGINT,
    "height" BIGINT,
    "duration_ms" BIGINT,
    "blurhash" TEXT,
    "reject_reason" TEXT,
    "bound_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "uploaded_at" TIMESTAMPTZ(3),
    "ready_at" TIMESTAMPTZ(3),
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "media_objects_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "media_variants" (
    "media_id" UUID NOT NULL,
    "variant" TEXT NOT NULL,
    "storage_key" TEXT NOT NULL,
    "mime" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "width" BIGINT NOT NULL,
    "height" BIGINT NOT NULL,

    CONSTRAINT "media_variants_pkey" PRIMARY KEY ("media_id","variant")
);

CREATE UNIQUE INDEX IF NOT EXISTS "media_objects_storage_key_key" ON "media_objects"("storage_key");

CREATE INDEX IF NOT EXISTS "media_objects_state_created_at_idx" ON "media_objects"("state", "created_at");

CREATE INDEX IF NOT EXISTS "media_objects_owner_id_created_at_idx" ON "media_objects"("owner_id", "created_at");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversations_avatar_media_id_fkey' AND conrelid = '"conversations"'::regclass) THEN
    ALTER TABLE "conversations" ADD CONSTRAINT "conversations_avatar_media_id_fkey" FOREIGN KEY ("avatar_media_id") REFERENCES "media_objects"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'media_objects_owner_id_fkey' AND conrelid = '"media_objects"'::regclass) THEN
    ALTER TABLE "media_objects" ADD CONSTRAINT "media_objects_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'media_variants_media_id_fkey' AND conrelid = '"media_variants"'::regclass) THEN
    ALTER TABLE "media_variants" ADD CONSTRAINT "media_variants_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media_objects"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'users_avatar_media_id_fkey' AND conrelid = '"users"'::regclass) THEN
    ALTER TABLE "users" ADD CONSTRAINT "users_avatar_media_id_fkey" FOREIGN KEY ("avatar_media_id") REFERENCES "media_objects"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

-- media_bind(owner, ids[]) -> number of objects
--
-- Marks objects as referred to, so that the sweep keeps them; binding a bound one again is harmless. Each id must exist, be
-- usable (uploaded, processing or ready) and belong to `owner`; a null owner skips that, for forwarding, where the right
-- to see the source was checked instead. Error: PA422, with the unusable ids in DETAIL.
-- Lock order: after the conversation head and memberships, by id.
CREATE OR REPLACE FUNCTION media_bind(p_owner uuid, p_ids uuid[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  usable uuid[];
  unusable uuid[];
BEGIN
  SELECT array_agg(locked.id) INTO usable FROM (
    SELECT o.id FROM media_objects AS o
    WHERE o.id = ANY (p_ids) AND o.state IN ('uploaded', 'processing', 'ready') AND (p_owner IS NULL OR o.owner_id = p_owner)
    ORDER BY o.id FOR NO KEY UPDATE
  ) AS locked;

  SELECT array_agg(wanted) INTO unusable FROM unnest(p_ids) AS wanted WHERE wanted <> ALL (COALESCE(usable, '{}'));
  IF unusable IS NOT NULL THEN
    RAISE EXCEPTION 'media not usable' USING ERRCODE = 'PA422', DETAIL = array_to_string(unusable, ',');
  END IF;

  UPDATE media_objects AS o SET bound_at = now() WHERE o.id = ANY (usable) AND o.bound_at IS NULL;
  RETURN COALESCE(cardinality(usable), 0);
END $$;
