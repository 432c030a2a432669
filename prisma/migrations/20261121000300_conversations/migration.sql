-- lifecycle: expand
-- Owner: conversations.

DO $$ BEGIN
  IF to_regtype('"conversation_type"') IS NULL THEN
    CREATE TYPE "conversation_type" AS ENUM ('direct', 'group', 'channel');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"conversation_visibility"') IS NULL THEN
    CREATE TYPE "conversation_visibility" AS ENUM ('private', 'public');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"member_role"') IS NULL THEN
    CREATE TYPE "member_role" AS ENUM ('owner', 'admin', 'member');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"member_state"') IS NULL THEN
    CREATE TYPE "member_state" AS ENUM ('active', 'left', 'removed');
  END IF;
END $$;

DO $$ BEGIN
  IF to_regtype('"notify_level"') IS NULL THEN
    CREATE TYPE "notify_level" AS ENUM ('default', 'all', 'mentions', 'none');
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS "conversations" (
    "id" UUID NOT NULL,
    "type" "conversation_type" NOT NULL,
    "direct_key" TEXT,
    "title" TEXT,
    "description" TEXT,
    "avatar_media_id" UUID,
    "visibility" "conversation_visibility" NOT NULL DEFAULT 'private',
    "settings" JSONB NOT NULL,
    "created_by" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "conversations_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "conversation_head" (
    "conversation_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,
    "ord" BIGINT NOT NULL DEFAULT 0,
    "rev" BIGINT NOT NULL DEFAULT 0,
    "last_delete_seq" BIGINT NOT NULL DEFAULT 0,
    "updated_xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),

    CONSTRAINT "conversation_head_pkey" PRIMARY KEY ("conversation_id")
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS "memberships" (
    "conversation_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "rev" BIGINT NOT NULL,
    "user_rev" BIGINT NOT NULL,
    "role" "member_role" NOT NULL DEFAULT 'member',
    "state" "member_state" NOT NULL DEFAULT 'active',
    "visible_from_seq" BIGINT NOT NULL DEFAULT 1,
    "delivered_seq" BIGINT NOT NULL DEFAULT 0,
    "read_seq" BIGINT NOT NULL DEFAULT 0,
    "read_ord" BIGINT NOT NULL DEFAULT 0,
    "foreground_seq" BIGINT NOT NULL DEFAULT 0,
    "notify_level" "notify_level" NOT NULL DEFAULT 'default',
    "muted_until" TIMESTAMPTZ(3),
    "pinned_at" TIMESTAMPTZ(3),
    "archived_at" TIMESTAMPTZ(3),
    "marked_unread" BOOLEAN NOT NULL DEFAULT false,
    "invited_by" UUID,
    "joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "left_at" TIMESTAMPTZ(3),

    CONSTRAINT "memberships_pkey" PRIMARY KEY ("conversation_id","user_id")
) WITH (fillfactor = 70);

CREATE TABLE IF NOT EXISTS "conversation_invites" (
    "id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "code_hash" TEXT NOT NULL,
    "role" "member_role" NOT NULL DEFAULT 'member',
    "created_by" UUID NOT NULL,
    "max_uses" BIGINT,
    "uses" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "conversation_invites_pkey" PRIMARY KEY ("id")
);

CREATE TABLE IF NOT EXISTS "drafts" (
    "user_id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "thread_id" UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'::uuid,
    "rev" BIGINT NOT NULL,
    "body" TEXT NOT NULL,
    "reply_to_seq" BIGINT,
    "attachment_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "drafts_pkey" PRIMARY KEY ("user_id","conversation_id","thread_id")
);

CREATE UNIQUE INDEX IF NOT EXISTS "conversations_direct_key_key" ON "conversations"("direct_key");

CREATE INDEX IF NOT EXISTS "memberships_user_id_state_idx" ON "memberships"("user_id", "state");

CREATE INDEX IF NOT EXISTS "memberships_conversation_id_rev_idx" ON "memberships"("conversation_id", "rev");

CREATE INDEX IF NOT EXISTS "memberships_user_id_user_rev_idx" ON "memberships"("user_id", "user_rev");

CREATE UNIQUE INDEX IF NOT EXISTS "conversation_invites_code_hash_key" ON "conversation_invites"("code_hash");

CREATE INDEX IF NOT EXISTS "conversation_invites_conversation_id_idx" ON "conversation_invites"("conversation_id");

CREATE INDEX IF NOT EXISTS "drafts_user_id_rev_idx" ON "drafts"("user_id", "rev");

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversation_head_conversation_id_fkey' AND conrelid = '"conversation_head"'::regclass) THEN
    ALTER TABLE "conversation_head" ADD CONSTRAINT "conversation_head_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'memberships_conversation_id_fkey' AND conrelid = '"memberships"'::regclass) THEN
    ALTER TABLE "memberships" ADD CONSTRAINT "memberships_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'memberships_user_id_fkey' AND conrelid = '"memberships"'::regclass) THEN
    ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversation_invites_conversation_id_fkey' AND conrelid = '"conversation_invites"'::regclass) THEN
    ALTER TABLE "conversation_invites" ADD CONSTRAINT "conversation_invites_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'drafts_user_id_fkey' AND conrelid = '"drafts"'::regclass) THEN
    ALTER TABLE "drafts" ADD CONSTRAINT "drafts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'drafts_conversation_id_fkey' AND conrelid = '"drafts"'::regclass) THEN
    ALTER TABLE "drafts" ADD CONSTRAINT "drafts_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

-- The operator class is named with the schema that pg_trgm is in: it need not be ours.
DO $$ BEGIN
  EXECUTE (
    SELECT format('CREATE INDEX IF NOT EXISTS "conversations_title_idx" ON "conversations" USING GIN ("title" %1$s.gin_trgm_ops) WHERE "visibility" = ''public'' AND "deleted_at" IS NULL', extnamespace::regnamespace)
    FROM pg_extension WHERE extname = 'pg_trgm'
  );
END $$;

-- One conversation per pair: every direct one has its key, nothing else has one.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversations_direct_key_check' AND conrelid = '"conversations"'::regclass) THEN
    ALTER TABLE "conversations" ADD CONSTRAINT "conversations_direct_key_check" CHECK (("type" = 'direct') = ("direct_key" IS NOT NULL));
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversation_head_order_check' AND conrelid = '"conversation_head"'::regclass) THEN
    ALTER TABLE "conversation_head" ADD CONSTRAINT "conversation_head_order_check" CHECK (0 <= "ord" AND "ord" <= "seq" AND 0 <= "last_delete_seq" AND "last_delete_seq" <= "seq" AND 0 <= "rev");
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'memberships_watermarks_check' AND conrelid = '"memberships"'::regclass) THEN
    ALTER TABLE "memberships" ADD CONSTRAINT "memberships_watermarks_check" CHECK (0 <= "read_seq" AND "read_seq" <= "delivered_seq" AND 0 <= "read_ord" AND "read_ord" <= "read_seq");
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'conversation_invites_uses_check' AND conrelid = '"conversation_invites"'::regclass) THEN
    ALTER TABLE "conversation_invites" ADD CONSTRAINT "conversation_invites_uses_check" CHECK (0 <= "uses" AND ("max_uses" IS NULL OR "uses" <= "max_uses"));
  END IF;
END $$;

-- conversation_advance(conversation, seqs, ords, revs, delete_seq, actors[], mark_seq[], mark_ord[], force[])
--   -> one row (seq, ord, rev): the head BEFORE the step
--
-- The only way to draw numbers. The caller stamps its rows seq + 1 .. seq + seqs, and so on, in the same transaction, best
-- in the same statement. `delete_seq` (or null) raises last_delete_seq.
--
-- `actors` are those in whose name the step happens; each must be an active member (null or empty: the system). The other
-- three arrays run parallel to it and move the actor's own watermarks: `mark_seq` and `mark_ord` are OFFSETS from the head
-- before the step; 0 leaves them, n makes the position seq + n (and ord + mark_ord). Without `force` they move only if
-- nothing was unread, that is if read_ord equals ord before the step. Moving reads: delivered rises with read, and
-- marked_unread is cleared. Nothing ever falls. An actor may appear more than once: the furthest applicable entry counts.
-- In a batch a message of someone else before an unforced mark is unread too, so its caller passes 0 there.
--
-- Errors: PA404 the conversation does not exist or is deleted; PA403 an actor is not an active member. Either ends the
-- statement, so no number is lost.
-- Lock order: the head first, which orders everything in the conversation (one head per transaction); then the actors'
-- memberships by user id; user heads only after. The checks run after the head lock, each in a snapshot of its own, so a
-- removal or deletion that had the head before us is seen.
CREATE OR REPLACE FUNCTION conversation_advance(
  p_conversation uuid, p_seqs integer, p_ords integer, p_revs integer, p_delete_seq bigint,
  p_actors uuid[], p_mark_seq bigint[], p_mark_ord bigint[], p_force boolean[],
  OUT seq bigint, OUT ord bigint, OUT rev bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  -- under names no column has, to be read inside statements
  seq_before bigint;
  ord_before bigint;
BEGIN
  UPDATE conversation_head AS h
  SET seq = h.seq + p_seqs, ord = h.ord + p_ords, rev = h.rev + p_revs,
      last_delete_seq = GREATEST(h.last_delete_seq, p_delete_seq), updated_xid = pg_current_xact_id()
  WHERE h.conversation_id = p_conversation
  RETURNING h.seq - p_seqs, h.ord - p_ords, h.rev - p_revs INTO seq, ord, rev;
  seq_before := seq;
  ord_before := ord;

  PERFORM FROM conversations AS c WHERE c.id = p_conversation AND c.deleted_at IS NULL;
  IF NOT FOUND OR seq IS NULL THEN
    RAISE EXCEPTION 'no conversation %', p_conversation USING ERRCODE = 'PA404';
  END IF;

  -- Several actors: in lock order, each once, though unforced and forced apart. The unforced come first, as they ask
  -- whether anything was unread before the step.
  IF cardinality(p_actors) > 1 THEN
    SELECT array_agg(a.actor), array_agg(a.seq), array_agg(a.ord), array_agg(a.force)
    INTO p_actors, p_mark_seq, p_mark_ord, p_force
    FROM (
      SELECT u.actor, max(u.seq) AS seq, max(u.ord) AS ord, u.force
      FROM unnest(p_actors, p_mark_seq, p_mark_ord, p_force) AS u (actor, seq, ord, force)
      GROUP BY u.actor, u.force ORDER BY u.actor, u.force
    ) AS a;
  END IF;

  FOR i IN 1 .. COALESCE(cardinality(p_actors), 0) LOOP
    UPDATE memberships AS m
    SET read_seq = GREATEST(m.read_seq, seq_before + p_mark_seq[i]),
        read_ord = GREATEST(m.read_ord, ord_before + p_mark_ord[i]),
        delivered_seq = GREATEST(m.delivered_seq, seq_before + p_mark_seq[i]),
        marked_unread = false
    WHERE m.conversation_id = p_conversation AND m.user_id = p_actors[i] AND m.state = 'active'
      AND p_mark_seq[i] > 0 AND (p_force[i] OR m.read_ord = ord_before);

    -- Nothing to move, or no member? Two steps, since an IF would start the subquery even when it is not asked.
    IF NOT FOUND THEN
      PERFORM FROM memberships AS m
      WHERE m.conversation_id = p_conversation AND m.user_id = p_actors[i] AND m.state = 'active';
      IF NOT FOUND THEN
        RAISE EXCEPTION 'user % is no member of conversation %', p_actors[i], p_conversation USING ERRCODE = 'PA403';
      END IF;
    END IF;
  END LOOP;
END $$;

-- membership_mark(conversations[], users[], delivered[], read[], read_ord[], foreground[])
--   -> rows (conversation_id, user_id, delivered_seq, read_seq, read_ord, foreground_seq, moved)
--
-- Merges receipts: parallel arrays, null where a receipt says nothing, several for one membership allowed. Positions above
-- the head are clamped, read raises delivered, any read clears marked_unread, nothing falls, no rev is drawn. `read_ord` is
-- the ord of the row at `read`, supplied by the caller, who can read messages. One row comes back per active membership
-- spoken of, `moved` where a watermark rose; former and foreign members are passed over in silence.
-- Lock order: memberships by (conversation, user). Takes no head, so it never waits for a send to commit.
CREATE OR REPLACE FUNCTION membership_mark(
  p_conversations uuid[], p_users uuid[], p_delivered bigint[], p_read bigint[], p_read_ord bigint[], p_foreground bigint[]
) RETURNS TABLE (
  conversation_id uuid, user_id uuid, delivered_seq bigint, read_seq bigint, read_ord bigint, foreground_seq bigint, moved boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  -- The lock has its own statement: the next one starts from a snapshot taken when all rows were ours.
  PERFORM FROM memberships AS m
  JOIN (SELECT DISTINCT * FROM unnest(p_conversations, p_users)) AS r (conversation_id, user_id) USING (conversation_id, user_id)
  WHERE m.state = 'active'
  ORDER BY m.conversation_id, m.user_id FOR NO KEY UPDATE OF m;

  RETURN QUERY
    WITH receipt AS (
      -- LEAST would take a null for "no limit", so each maximum runs over what was said.
      SELECT r.conversation_id, r.user_id, bool_or(r.read IS NOT NULL) AS reads,
             max(LEAST(r.read, h.seq)) FILTER (WHERE r.read IS NOT NULL) AS read,
             max(LEAST(r.read_ord, h.ord)) FILTER (WHERE r.read_ord IS NOT NULL) AS read_ord,
             max(LEAST(GREATEST(r.delivered, r.read), h.seq)) FILTER (WHERE num_nonnulls(r.delivered, r.read) > 0) AS delivered,
             max(LEAST(r.foreground, h.seq)) FILTER (WHERE r.foreground IS NOT NULL) AS foreground
      FROM unnest(p_conversations, p_users, p_delivered, p_read, p_read_ord, p_foreground)
        AS r (conversation_id, user_id, delivered, read, read_ord, foreground)
      JOIN conversation_head AS h ON h.conversation_id = r.conversation_id
      GROUP BY r.conversation_id, r.user_id
    ), merged AS (
      UPDATE memberships AS m
      SET read_seq = GREATEST(m.read_seq, r.read), read_ord = GREATEST(m.read_ord, r.read_ord),
          delivered_seq = GREATEST(m.delivered_seq, r.delivered), foreground_seq = GREATEST(m.foreground_seq, r.foreground),
          marked_unread = m.marked_unread AND NOT r.reads
      FROM receipt AS r
      WHERE m.conversation_id = r.conversation_id AND m.user_id = r.user_id AND m.state = 'active'
        AND (r.read > m.read_seq OR r.delivered > m.delivered_seq OR r.foreground > m.foreground_seq OR (m.marked_unread AND r.reads))
      RETURNING m.conversation_id, m.user_id, m.delivered_seq, m.read_seq, m.read_ord, m.foreground_seq
    )
    SELECT m.conversation_id, m.user_id, COALESCE(n.delivered_seq, m.delivered_seq), COALESCE(n.read_seq, m.read_seq),
           COALESCE(n.read_ord, m.read_ord), COALESCE(n.foreground_seq, m.foreground_seq), n.user_id IS NOT NULL
    FROM receipt AS r
    JOIN memberships AS m ON m.conversation_id = r.conversation_id AND m.user_id = r.user_id AND m.state = 'active'
    LEFT JOIN merged AS n ON n.conversation_id = m.conversation_id AND n.user_id = m.user_id;
END $$;

-- conversation_admit(conversation, senders[]) -> true
--
-- Whether each sender may write here with no further question: the settings let them, they need not pause between
-- messages, and in a direct conversation neither has blocked the other. Else PA405, and whoever called asks the questions
-- one by one. Membership is the business of conversation_advance; call this after it, so that a change of roles or settings
-- that had the head before is seen and none can come between.
CREATE OR REPLACE FUNCTION conversation_admit(p_conversation uuid, p_senders uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  room record;
  refused boolean;
BEGIN
  SELECT c.type, c.direct_key, c.settings ->> 'whoCanPost' AS poster, (c.settings ->> 'slowModeSec')::integer AS pause INTO room
  FROM conversations AS c WHERE c.id = p_conversation;

  IF room.type = 'direct' THEN
    refused := users_blocked(split_part(room.direct_key, ':', 1)::uuid, split_part(room.direct_key, ':', 2)::uuid);
  ELSIF room.poster = 'admin' OR room.pause > 0 THEN
    refused := EXISTS (
      SELECT FROM memberships AS m
      WHERE m.conversation_id = p_conversation AND m.user_id = ANY (p_senders) AND m.role = 'member'
    );
  END IF;
  IF refused THEN
    RAISE EXCEPTION 'writing to conversation % is not free', p_conversation USING ERRCODE = 'PA405';
  END IF;
  RETURN true;
END $$;
