-- lifecycle: expand
-- Owner: messages.

DO $$ BEGIN
  IF to_regtype('"message_kind"') IS NULL THEN
    CREATE TYPE "message_kind" AS ENUM ('text', 'custom', 'system', 'call');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"scheduled_state"') IS NULL THEN
    CREATE TYPE "scheduled_state" AS ENUM ('pending', 'sent', 'failed', 'cancelled');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"call_media"') IS NULL THEN
    CREATE TYPE "call_media" AS ENUM ('audio', 'video');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"call_state"') IS NULL THEN
    CREATE TYPE "call_state" AS ENUM ('ringing', 'active', 'ended', 'declined', 'missed', 'cancelled');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"call_participant_state"') IS NULL THEN
    CREATE TYPE "call_participant_state" AS ENUM ('ringing', 'joined', 'declined', 'left', 'missed');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "messages" (
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "ord" BIGINT NOT NULL,
    "sender_id" UUID,
    "client_id" UUID,
    "payload_hash" TEXT,
    "kind" "message_kind" NOT NULL DEFAULT 'text',
    "body" TEXT,
    "meta" JSONB,
    "mentions" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "mention_all" BOOLEAN NOT NULL DEFAULT false,
    "reply_to_seq" BIGINT,
    "thread_id" UUID,
    "forwarded_from" JSONB,
    "silent" BOOLEAN NOT NULL DEFAULT false,
    "counts" BOOLEAN NOT NULL DEFAULT true,
    "pinned_at" TIMESTAMPTZ(3),
    "pinned_by" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "edited_at" TIMESTAMPTZ(3),
    "deleted_at" TIMESTAMPTZ(3),
    "deleted_by" UUID,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("conversation_id","seq")
);

CREATE TABLE IF NOT EXISTS "message_attachments" (
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "position" BIGINT NOT NULL,
    "media_id" UUID NOT NULL,

    CONSTRAINT "message_attachments_pkey" PRIMARY KEY ("conversation_id","seq","position")
);

CREATE TABLE IF NOT EXISTS "message_reactions" (
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "emoji" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "message_reactions_pkey" PRIMARY KEY ("conversation_id","seq","emoji","user_id")
);

CREATE TABLE IF NOT EXISTS "message_mentions" (
    "user_id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "message_mentions_pkey" PRIMARY KEY ("user_id","conversation_id","seq")
);

CREATE TABLE IF NOT EXISTS "message_search" (
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "sender_id" UUID,
    "kind" "message_kind" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "body" TEXT NOT NULL,
    "tsv" tsvector NOT NULL,

    CONSTRAINT "message_search_pkey" PRIMARY KEY ("conversation_id","seq")
);

CREATE TABLE IF NOT EXISTS "threads" (
    "id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "root_seq" BIGINT NOT NULL,
    "rev" BIGINT NOT NULL,
    "title" TEXT,
    "locked_at" TIMESTAMPTZ(3),
    "reply_count" BIGINT NOT NULL DEFAULT 0,
    "last_reply_seq" BIGINT,
    "last_reply_at" TIMESTAMPTZ(3),
    "created_by" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "threads_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "thread_members" (
    "thread_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "read_seq" BIGINT NOT NULL DEFAULT 0,
    "following" BOOLEAN NOT NULL DEFAULT true,
    "joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "thread_members_pkey" PRIMARY KEY ("thread_id","user_id")
);

CREATE TABLE IF NOT EXISTS "scheduled_messages" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "payload" JSONB NOT NULL,
    "send_at" TIMESTAMPTZ(3) NOT NULL,
    "state" "scheduled_state" NOT NULL DEFAULT 'pending',
    "failure_code" TEXT,
    "message_id" UUID,
    "rev" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "scheduled_messages_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "call_logs" (
    "id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "media" "call_media" NOT NULL,
    "initiator_id" UUID NOT NULL,
    "state" "call_state" NOT NULL DEFAULT 'ringing',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "answered_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" UUID,
    "end_reason" TEXT,

    CONSTRAINT "call_logs_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "call_participants" (
    "call_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "state" "call_participant_state" NOT NULL DEFAULT 'ringing',
    "device_id" TEXT,
    "joined_at" TIMESTAMPTZ(3),
    "left_at" TIMESTAMPTZ(3),

    CONSTRAINT "call_participants_pkey" PRIMARY KEY ("call_id","user_id")
);

CREATE UNIQUE INDEX IF NOT EXISTS "messages_id_key" ON "messages"("id");

CREATE INDEX IF NOT EXISTS "messages_conversation_id_rev_idx" ON "messages"("conversation_id", "rev");

CREATE UNIQUE INDEX IF NOT EXISTS "messages_conversation_id_sender_id_client_id_key" ON "messages"("conversation_id", "sender_id", "client_id");

CREATE INDEX IF NOT EXISTS "message_attachments_media_id_idx" ON "message_attachments"("media_id");

CREATE INDEX IF NOT EXISTS "message_search_tsv_idx" ON "message_search" USING GIN ("tsv" tsvector_ops);

-- The operator class is named with the schema that pg_trgm is in: it need not be ours.
DO $$ BEGIN
  EXECUTE (
    SELECT format('CREATE INDEX IF NOT EXISTS "message_search_body_idx" ON "message_search" USING GIN ("body" %1$s.gin_trgm_ops)', extnamespace::regnamespace)
    FROM pg_extension WHERE extname = 'pg_trgm'
  );
END $$;

CREATE INDEX IF NOT EXISTS "threads_conversation_id_rev_idx" ON "threads"("conversation_id", "rev");

CREATE UNIQUE INDEX IF NOT EXISTS "threads_conversation_id_root_seq_key" ON "threads"("conversation_id", "root_seq");

CREATE INDEX IF NOT EXISTS "thread_members_user_id_idx" ON "thread_members"("user_id");

CREATE INDEX IF NOT EXISTS "scheduled_messages_user_id_rev_idx" ON "scheduled_messages"("user_id", "rev");

CREATE UNIQUE INDEX IF NOT EXISTS "scheduled_messages_user_id_conversation_id_client_id_key" ON "scheduled_messages"("user_id", "conversation_id", "client_id");

CREATE UNIQUE INDEX IF NOT EXISTS "call_logs_conversation_id_seq_key" ON "call_logs"("conversation_id", "seq");

CREATE INDEX IF NOT EXISTS "call_participants_user_id_idx" ON "call_participants"("user_id");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'messages_thread_id_fkey' AND conrelid = '"messages"'::regclass) THEN
    ALTER TABLE "messages" ADD CONSTRAINT "messages_thread_id_fkey" FOREIGN KEY ("thread_id") REFERENCES "threads"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_attachments_conversation_id_seq_fkey' AND conrelid = '"message_attachments"'::regclass) THEN
    ALTER TABLE "message_attachments" ADD CONSTRAINT "message_attachments_conversation_id_seq_fkey" FOREIGN KEY ("conversation_id", "seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_attachments_media_id_fkey' AND conrelid = '"message_attachments"'::regclass) THEN
    ALTER TABLE "message_attachments" ADD CONSTRAINT "message_attachments_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media_objects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_reactions_conversation_id_seq_fkey' AND conrelid = '"message_reactions"'::regclass) THEN
    ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_conversation_id_seq_fkey" FOREIGN KEY ("conversation_id", "seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_reactions_user_id_fkey' AND conrelid = '"message_reactions"'::regclass) THEN
    ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_mentions_user_id_fkey' AND conrelid = '"message_mentions"'::regclass) THEN
    ALTER TABLE "message_mentions" ADD CONSTRAINT "message_mentions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_mentions_conversation_id_seq_fkey' AND conrelid = '"message_mentions"'::regclass) THEN
    ALTER TABLE "message_mentions" ADD CONSTRAINT "message_mentions_conversation_id_seq_fkey" FOREIGN KEY ("conversation_id", "seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'message_search_conversation_id_seq_fkey' AND conrelid = '"message_search"'::regclass) THEN
    ALTER TABLE "message_search" ADD CONSTRAINT "message_search_conversation_id_seq_fkey" FOREIGN KEY ("conversation_id", "seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'threads_conversation_id_fkey' AND conrelid = '"threads"'::regclass) THEN
    ALTER TABLE "threads" ADD CONSTRAINT "threads_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'threads_conversation_id_root_seq_fkey' AND conrelid = '"threads"'::regclass) THEN
    ALTER TABLE "threads" ADD CONSTRAINT "threads_conversation_id_root_seq_fkey" FOREIGN KEY ("conversation_id", "root_seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'thread_members_thread_id_fkey' AND conrelid = '"thread_members"'::regclass) THEN
    ALTER TABLE "thread_members" ADD CONSTRAINT "thread_members_thread_id_fkey" FOREIGN KEY ("thread_id") REFERENCES "threads"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'thread_members_user_id_fkey' AND conrelid = '"thread_members"'::regclass) THEN
    ALTER TABLE "thread_members" ADD CONSTRAINT "thread_members_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'scheduled_messages_user_id_fkey' AND conrelid = '"scheduled_messages"'::regclass) THEN
    ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'scheduled_messages_conversation_id_fkey' AND conrelid = '"scheduled_messages"'::regclass) THEN
    ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'scheduled_messages_message_id_fkey' AND conrelid = '"scheduled_messages"'::regclass) THEN
    ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE SET NULL ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'call_logs_conversation_id_seq_fkey' AND conrelid = '"call_logs"'::regclass) THEN
    ALTER TABLE "call_logs" ADD CONSTRAINT "call_logs_conversation_id_seq_fkey" FOREIGN KEY ("conversation_id", "seq") REFERENCES "messages"("conversation_id", "seq") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'call_logs_initiator_id_fkey' AND conrelid = '"call_logs"'::regclass) THEN
    ALTER TABLE "call_logs" ADD CONSTRAINT "call_logs_initiator_id_fkey" FOREIGN KEY ("initiator_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'call_participants_call_id_fkey' AND conrelid = '"call_participants"'::regclass) THEN
    ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_call_id_fkey" FOREIGN KEY ("call_id") REFERENCES "call_logs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'call_participants_user_id_fkey' AND conrelid = '"call_participants"'::regclass) THEN
    ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

CREATE INDEX IF NOT EXISTS "messages_thread_id_seq_idx" ON "messages"("thread_id", "seq") WHERE "thread_id" IS NOT NULL;

-- Messages to everybody are mentions of each member without a row for each.
CREATE INDEX IF NOT EXISTS "messages_mention_all_idx" ON "messages"("conversation_id", "seq") WHERE "mention_all";

CREATE INDEX IF NOT EXISTS "messages_conversation_id_pinned_at_idx" ON "messages"("conversation_id", "pinned_at") WHERE "pinned_at" IS NOT NULL;

CREATE INDEX IF NOT EXISTS "scheduled_messages_send_at_idx" ON "scheduled_messages"("send_at") WHERE "state" = 'pending';

-- One running call per conversation.
CREATE UNIQUE INDEX IF NOT EXISTS "call_logs_running_key" ON "call_logs"("conversation_id") WHERE "state" IN ('ringing', 'active');

-- A tombstone keeps positions and authorship, never content.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'messages_tombstone_check' AND conrelid = '"messages"'::regclass) THEN
    ALTER TABLE "messages" ADD CONSTRAINT "messages_tombstone_check" CHECK ("deleted_at" IS NULL OR (COALESCE("body", '') = '' AND "meta" IS NULL));
  END IF;
END $$;
