-- Parley 0.1.0, through 20261121194000_upload_parts

  CREATE SCHEMA IF NOT EXISTS "public";
  CREATE TABLE IF NOT EXISTS "public"._prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  );

  CREATE SCHEMA IF NOT EXISTS "lifecycle";
  CREATE TABLE IF NOT EXISTS "lifecycle".meta (
    singleton  BOOLEAN PRIMARY KEY DEFAULT true CHECK (singleton),
    format     INTEGER NOT NULL,
    min_epoch  INTEGER NOT NULL DEFAULT 0,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS "lifecycle".seed_history (
    name        TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    checksum    TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('once', 'repeatable')),
    applied_at  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    app_version TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    history_id  TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS "lifecycle".audit (
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
  INSERT INTO "lifecycle".meta (format) VALUES (1) ON CONFLICT DO NOTHING;
SET search_path = "public";
SET lock_timeout = '5s';
SET check_function_bodies = off;
-- extension pg_trgm
CREATE EXTENSION IF NOT EXISTS "pg_trgm";
-- enum alert_level
DO $parley$ BEGIN IF to_regtype('"alert_level"') IS NULL THEN CREATE TYPE "alert_level" AS ENUM ('warning', 'critical'); END IF; END $parley$;
-- enum call_media
DO $parley$ BEGIN IF to_regtype('"call_media"') IS NULL THEN CREATE TYPE "call_media" AS ENUM ('audio', 'video'); END IF; END $parley$;
-- enum call_participant_state
DO $parley$ BEGIN IF to_regtype('"call_participant_state"') IS NULL THEN CREATE TYPE "call_participant_state" AS ENUM ('ringing', 'joined', 'declined', 'left', 'missed'); END IF; END $parley$;
-- enum call_state
DO $parley$ BEGIN IF to_regtype('"call_state"') IS NULL THEN CREATE TYPE "call_state" AS ENUM ('ringing', 'active', 'ended', 'declined', 'missed', 'cancelled'); END IF; END $parley$;
-- enum conversation_type
DO $parley$ BEGIN IF to_regtype('"conversation_type"') IS NULL THEN CREATE TYPE "conversation_type" AS ENUM ('direct', 'group', 'channel'); END IF; END $parley$;
-- enum conversation_visibility
DO $parley$ BEGIN IF to_regtype('"conversation_visibility"') IS NULL THEN CREATE TYPE "conversation_visibility" AS ENUM ('private', 'public'); END IF; END $parley$;
-- enum decision_outcome
DO $parley$ BEGIN IF to_regtype('"decision_outcome"') IS NULL THEN CREATE TYPE "decision_outcome" AS ENUM ('pending', 'sent', 'collapsed', 'suppressed', 'failed'); END IF; END $parley$;
-- enum export_state
DO $parley$ BEGIN IF to_regtype('"export_state"') IS NULL THEN CREATE TYPE "export_state" AS ENUM ('pending', 'ready', 'failed'); END IF; END $parley$;
-- enum idempotency_state
DO $parley$ BEGIN IF to_regtype('"idempotency_state"') IS NULL THEN CREATE TYPE "idempotency_state" AS ENUM ('running', 'done'); END IF; END $parley$;
-- enum media_purpose
DO $parley$ BEGIN IF to_regtype('"media_purpose"') IS NULL THEN CREATE TYPE "media_purpose" AS ENUM ('attachment', 'avatar'); END IF; END $parley$;
-- enum media_state
DO $parley$ BEGIN IF to_regtype('"media_state"') IS NULL THEN CREATE TYPE "media_state" AS ENUM ('pending', 'uploaded', 'processing', 'ready', 'rejected', 'quarantined', 'deleted'); END IF; END $parley$;
-- enum member_role
DO $parley$ BEGIN IF to_regtype('"member_role"') IS NULL THEN CREATE TYPE "member_role" AS ENUM ('owner', 'admin', 'member'); END IF; END $parley$;
-- enum member_state
DO $parley$ BEGIN IF to_regtype('"member_state"') IS NULL THEN CREATE TYPE "member_state" AS ENUM ('active', 'left', 'removed'); END IF; END $parley$;
-- enum message_kind
DO $parley$ BEGIN IF to_regtype('"message_kind"') IS NULL THEN CREATE TYPE "message_kind" AS ENUM ('text', 'custom', 'system', 'call'); END IF; END $parley$;
-- enum notify_level
DO $parley$ BEGIN IF to_regtype('"notify_level"') IS NULL THEN CREATE TYPE "notify_level" AS ENUM ('default', 'all', 'mentions', 'none'); END IF; END $parley$;
-- enum otp_purpose
DO $parley$ BEGIN IF to_regtype('"otp_purpose"') IS NULL THEN CREATE TYPE "otp_purpose" AS ENUM ('login', 'verify', 'reset_password'); END IF; END $parley$;
-- enum presence_activity
DO $parley$ BEGIN IF to_regtype('"presence_activity"') IS NULL THEN CREATE TYPE "presence_activity" AS ENUM ('active', 'idle', 'dnd'); END IF; END $parley$;
-- enum presence_mode
DO $parley$ BEGIN IF to_regtype('"presence_mode"') IS NULL THEN CREATE TYPE "presence_mode" AS ENUM ('auto', 'dnd', 'invisible'); END IF; END $parley$;
-- enum report_reason
DO $parley$ BEGIN IF to_regtype('"report_reason"') IS NULL THEN CREATE TYPE "report_reason" AS ENUM ('spam', 'abuse', 'illegal', 'other'); END IF; END $parley$;
-- enum report_state
DO $parley$ BEGIN IF to_regtype('"report_state"') IS NULL THEN CREATE TYPE "report_state" AS ENUM ('open', 'resolved', 'dismissed'); END IF; END $parley$;
-- enum scheduled_state
DO $parley$ BEGIN IF to_regtype('"scheduled_state"') IS NULL THEN CREATE TYPE "scheduled_state" AS ENUM ('pending', 'sent', 'failed', 'cancelled'); END IF; END $parley$;
-- enum session_kind
DO $parley$ BEGIN IF to_regtype('"session_kind"') IS NULL THEN CREATE TYPE "session_kind" AS ENUM ('builtin', 'external'); END IF; END $parley$;
-- enum user_state
DO $parley$ BEGIN IF to_regtype('"user_state"') IS NULL THEN CREATE TYPE "user_state" AS ENUM ('active', 'suspended', 'deleted'); END IF; END $parley$;
-- enum webhook_delivery_state
DO $parley$ BEGIN IF to_regtype('"webhook_delivery_state"') IS NULL THEN CREATE TYPE "webhook_delivery_state" AS ENUM ('pending', 'delivered', 'failed'); END IF; END $parley$;
-- sequence system_health_config_id_seq
CREATE SEQUENCE IF NOT EXISTS system_health_config_id_seq AS integer INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1;
-- function active_members(uuid, uuid)
CREATE OR REPLACE FUNCTION active_members(p_conversation uuid, p_after uuid)
 RETURNS TABLE(user_id uuid)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT m.user_id FROM memberships AS m
  WHERE m.conversation_id = p_conversation AND m.state = 'active' AND m.user_id > p_after
$function$;
-- function audit_logs_refuse_change()
CREATE OR REPLACE FUNCTION audit_logs_refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'audit_logs is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $function$;
-- function conversation_admit(uuid, uuid[])
CREATE OR REPLACE FUNCTION conversation_admit(p_conversation uuid, p_senders uuid[])
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
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
END $function$;
-- function conversation_advance(uuid, integer, integer, integer, bigint, uuid[], bigint[], bigint[], boolean[])
CREATE OR REPLACE FUNCTION conversation_advance(p_conversation uuid, p_seqs integer, p_ords integer, p_revs integer, p_delete_seq bigint, p_actors uuid[], p_mark_seq bigint[], p_mark_ord bigint[], p_force boolean[], OUT seq bigint, OUT ord bigint, OUT rev bigint)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
  -- under names no column has, to be read inside statements
  seq_before bigint;
  ord_before bigint;
BEGIN
  UPDATE conversation_head AS h
  SET seq = h.seq + p_seqs, ord = h.ord + p_ords, rev = h.rev + p_revs,
      last_delete_seq = GREATEST(h.last_delete_seq, p_delete_seq), updated_xid = pg_current_xact_id(), active_at = clock_timestamp()
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
END $function$;
-- function conversation_advance_free(uuid[], integer[], integer[], integer[], integer[], uuid[], uuid[], bigint[], bigint[])
CREATE OR REPLACE FUNCTION conversation_advance_free(p_conversations uuid[], p_seqs integer[], p_ords integer[], p_revs integer[], p_senders integer[], p_of uuid[], p_members uuid[], p_mark_seq bigint[], p_mark_ord bigint[])
 RETURNS TABLE(conversation_id uuid, seq bigint, ord bigint, rev bigint)
 LANGUAGE plpgsql
 ROWS 100
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
#variable_conflict use_column
DECLARE
  locked uuid[];
  complete boolean;
  free uuid[];
  -- the two of each direct conversation
  ones uuid[];
  others uuid[];
  blocked text[];
BEGIN
  SELECT array_agg(l.id) INTO locked
  FROM (
    SELECT h.conversation_id AS id FROM conversation_head AS h
    WHERE h.conversation_id = ANY (p_conversations) FOR NO KEY UPDATE SKIP LOCKED
  ) AS l;
  complete := cardinality(locked) = cardinality(p_conversations);

  WITH mine AS MATERIALIZED (
    SELECT m.conversation_id, m.state, m.role, s.senders
    FROM unnest(p_of, p_members, p_senders) AS s (conversation_id, user_id, senders)
    JOIN memberships AS m ON m.conversation_id = s.conversation_id AND m.user_id = s.user_id
    WHERE complete OR m.conversation_id = ANY (locked)
    FOR NO KEY UPDATE OF m SKIP LOCKED
  )
  SELECT array_agg(c.id), array_agg(split_part(c.direct_key, ':', 1)::uuid) FILTER (WHERE c.type = 'direct'),
         array_agg(split_part(c.direct_key, ':', 2)::uuid) FILTER (WHERE c.type = 'direct')
  INTO free, ones, others
  FROM (
    SELECT m.conversation_id AS id, bool_or(m.role = 'member') AS plain
    FROM mine AS m GROUP BY 1 HAVING count(*) = max(m.senders) AND bool_and(m.state = 'active')
  ) AS x
  JOIN conversations AS c ON c.id = x.id
  WHERE c.deleted_at IS NULL
    AND (c.type = 'direct' OR NOT x.plain
         OR (c.settings ->> 'whoCanPost' IS DISTINCT FROM 'admin' AND COALESCE((c.settings ->> 'slowModeSec')::integer, 0) = 0));

  SELECT array_agg(concat_ws(':', b.a, b.b)) INTO blocked FROM users_blocked_pairs(ones, others) AS b;
  IF blocked IS NOT NULL THEN
    SELECT array_agg(c.id) INTO free FROM conversations AS c
    WHERE c.id = ANY (free) AND (c.direct_key IS NULL OR c.direct_key <> ALL (blocked));
  END IF;

  IF free IS NULL THEN
    RETURN;
  ELSIF cardinality(free) < cardinality(p_conversations) THEN
    SELECT array_agg(s.id), array_agg(s.seqs), array_agg(s.ords), array_agg(s.revs)
    INTO p_conversations, p_seqs, p_ords, p_revs
    FROM unnest(p_conversations, p_seqs, p_ords, p_revs) AS s (id, seqs, ords, revs) WHERE s.id = ANY (free);
    SELECT array_agg(s.id), array_agg(s.member), array_agg(s.mark_seq), array_agg(s.mark_ord)
    INTO p_of, p_members, p_mark_seq, p_mark_ord
    FROM unnest(p_of, p_members, p_mark_seq, p_mark_ord) AS s (id, member, mark_seq, mark_ord) WHERE s.id = ANY (free);
  END IF;

  UPDATE memberships AS m
  SET read_seq = GREATEST(m.read_seq, h.seq + s.mark_seq), read_ord = GREATEST(m.read_ord, h.ord + s.mark_ord),
      delivered_seq = GREATEST(m.delivered_seq, h.seq + s.mark_seq), marked_unread = false
  FROM unnest(p_of, p_members, p_mark_seq, p_mark_ord) AS s (conversation_id, user_id, mark_seq, mark_ord)
  JOIN conversation_head AS h ON h.conversation_id = s.conversation_id
  WHERE m.conversation_id = s.conversation_id AND m.user_id = s.user_id;

  RETURN QUERY
    UPDATE conversation_head AS h
    SET seq = h.seq + s.seqs, ord = h.ord + s.ords, rev = h.rev + s.revs, updated_xid = pg_current_xact_id(), active_at = clock_timestamp()
    FROM unnest(p_conversations, p_seqs, p_ords, p_revs) AS s (conversation_id, seqs, ords, revs)
    WHERE h.conversation_id = s.conversation_id
    RETURNING h.conversation_id, h.seq - s.seqs, h.ord - s.ords, h.rev - s.revs;
END $function$;
-- function media_bind(uuid, uuid[])
CREATE OR REPLACE FUNCTION media_bind(p_owner uuid, p_ids uuid[])
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
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
END $function$;
-- function membership_mark(uuid[], uuid[], bigint[], bigint[], bigint[], bigint[])
CREATE OR REPLACE FUNCTION membership_mark(p_conversations uuid[], p_users uuid[], p_delivered bigint[], p_read bigint[], p_read_ord bigint[], p_foreground bigint[])
 RETURNS TABLE(conversation_id uuid, user_id uuid, delivered_seq bigint, read_seq bigint, read_ord bigint, foreground_seq bigint, moved boolean)
 LANGUAGE plpgsql
AS $function$
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
END $function$;
-- function message_pace(uuid, uuid[], bigint[])
CREATE OR REPLACE FUNCTION message_pace(p_conversation uuid, p_senders uuid[], p_pauses bigint[])
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE
  left_ms bigint;
BEGIN
  SELECT max(s.pause - floor(extract(epoch FROM clock_timestamp() - last.created_at) * 1000)::bigint) INTO left_ms
  FROM unnest(p_senders, p_pauses) AS s (id, pause)
  CROSS JOIN LATERAL (
    SELECT m.created_at FROM messages AS m
    WHERE m.conversation_id = p_conversation AND m.sender_id = s.id AND m.kind <> 'system' ORDER BY m.seq DESC LIMIT 1
  ) AS last;
  IF left_ms > 0 OR (SELECT count(DISTINCT s.id) < count(*) FROM unnest(p_senders) AS s (id)) THEN
    RAISE EXCEPTION 'too soon in conversation %', p_conversation USING ERRCODE = 'PA429', DETAIL = GREATEST(left_ms, 1);
  END IF;
  RETURN true;
END $function$;
-- function migration_history_rows()
CREATE OR REPLACE FUNCTION migration_history_rows()
 RETURNS TABLE(name text, checksum text, started_at timestamp with time zone, finished_at timestamp with time zone, rolled_back_at timestamp with time zone, steps integer, logs text)
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
  IF to_regclass('_prisma_migrations') IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE
    'SELECT migration_name::text, checksum::text, started_at, finished_at, rolled_back_at, applied_steps_count, logs
     FROM _prisma_migrations ORDER BY started_at, migration_name';
END $function$;
-- function outbox_append(text, text, jsonb)
CREATE OR REPLACE FUNCTION outbox_append(topic text, key text, payload jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  entry bigint;
BEGIN
  INSERT INTO outbox (topic, key, payload)
  VALUES (outbox_append.topic, outbox_append.key, outbox_append.payload)
  RETURNING id INTO entry;
  RETURN entry;
END $function$;
-- function outbox_append(text, uuid, jsonb)
CREATE OR REPLACE FUNCTION outbox_append(topic text, key uuid, payload jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  entry bigint;
BEGIN
  INSERT INTO outbox (topic, key, payload)
  VALUES (outbox_append.topic, outbox_append.key::text, outbox_append.payload)
  RETURNING id INTO entry;
  RETURN entry;
END $function$;
-- function outbox_append_each(text, uuid[], jsonb[])
CREATE OR REPLACE FUNCTION outbox_append_each(p_topic text, p_keys uuid[], p_payloads jsonb[])
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  entries bigint;
BEGIN
  INSERT INTO outbox (topic, key, payload)
  SELECT p_topic, u.key::text, u.payload FROM unnest(p_keys, p_payloads) AS u (key, payload);
  GET DIAGNOSTICS entries = ROW_COUNT;
  RETURN entries;
END $function$;
-- function user_advance(uuid, integer)
CREATE OR REPLACE FUNCTION user_advance(p_user uuid, p_revs integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  before bigint;
BEGIN
  UPDATE user_head AS h SET rev = h.rev + p_revs WHERE h.user_id = p_user RETURNING h.rev - p_revs INTO before;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no user %', p_user USING ERRCODE = 'PA404';
  END IF;
  RETURN before;
END $function$;
-- function user_advance_many(uuid[], integer)
CREATE OR REPLACE FUNCTION user_advance_many(p_users uuid[], p_revs integer)
 RETURNS TABLE(user_id uuid, rev_before bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
  PERFORM FROM user_head AS h WHERE h.user_id = ANY (p_users) ORDER BY h.user_id FOR NO KEY UPDATE;
  RETURN QUERY
    UPDATE user_head AS h SET rev = h.rev + p_revs WHERE h.user_id = ANY (p_users) RETURNING h.user_id, h.rev - p_revs;
END $function$;
-- function users_blocked(uuid, uuid)
CREATE OR REPLACE FUNCTION users_blocked(p_a uuid, p_b uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
  RETURN EXISTS (
    SELECT FROM user_blocks AS b
    WHERE b.deleted_at IS NULL AND ((b.owner_id = p_a AND b.target_id = p_b) OR (b.owner_id = p_b AND b.target_id = p_a))
  );
END $function$;
-- function users_blocked_pairs(uuid[], uuid[])
CREATE OR REPLACE FUNCTION users_blocked_pairs(p_a uuid[], p_b uuid[])
 RETURNS TABLE(a uuid, b uuid)
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
  RETURN QUERY
    SELECT p.a, p.b
    FROM (
      SELECT u.x AS a, u.y AS b, u.x AS owner_id, u.y AS target_id FROM unnest(p_a, p_b) AS u (x, y)
      UNION ALL
      SELECT u.x, u.y, u.y, u.x FROM unnest(p_a, p_b) AS u (x, y)
    ) AS p
    JOIN user_blocks AS k ON k.owner_id = p.owner_id AND k.target_id = p.target_id AND k.deleted_at IS NULL;
END $function$;
-- table audit_head
CREATE TABLE IF NOT EXISTS "audit_head" (
  "id" integer DEFAULT 1 NOT NULL,
  "entries" bigint NOT NULL,
  "hash" text NOT NULL,
  "seal" text NOT NULL
);
-- table audit_logs
CREATE TABLE IF NOT EXISTS "audit_logs" (
  "id" uuid NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "actor_id" uuid,
  "action" text NOT NULL,
  "permission" text NOT NULL,
  "target_type" text NOT NULL,
  "target_id" text,
  "before" jsonb,
  "after" jsonb,
  "request_id" text NOT NULL,
  "ip_hash" text NOT NULL,
  "prev_hash" text NOT NULL,
  "hash" text NOT NULL
);
-- table call_logs
CREATE TABLE IF NOT EXISTS "call_logs" (
  "id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "media" call_media NOT NULL,
  "initiator_id" uuid NOT NULL,
  "state" call_state DEFAULT 'ringing'::call_state NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "answered_at" timestamp(3) with time zone,
  "ended_at" timestamp(3) with time zone,
  "ended_by" uuid,
  "end_reason" text
);
-- table call_participants
CREATE TABLE IF NOT EXISTS "call_participants" (
  "call_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "state" call_participant_state DEFAULT 'ringing'::call_participant_state NOT NULL,
  "device_id" text,
  "joined_at" timestamp(3) with time zone,
  "left_at" timestamp(3) with time zone
);
-- table contacts
CREATE TABLE IF NOT EXISTS "contacts" (
  "owner_id" uuid NOT NULL,
  "target_id" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "deleted_at" timestamp(3) with time zone
);
-- table conversation_head
CREATE TABLE IF NOT EXISTS "conversation_head" (
  "conversation_id" uuid NOT NULL,
  "seq" bigint DEFAULT 0 NOT NULL,
  "ord" bigint DEFAULT 0 NOT NULL,
  "rev" bigint DEFAULT 0 NOT NULL,
  "last_delete_seq" bigint DEFAULT 0 NOT NULL,
  "updated_xid" xid8 DEFAULT pg_current_xact_id() NOT NULL,
  "active_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
) WITH (fillfactor=50);
-- table conversation_invites
CREATE TABLE IF NOT EXISTS "conversation_invites" (
  "id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "code_hash" text NOT NULL,
  "role" member_role DEFAULT 'member'::member_role NOT NULL,
  "created_by" uuid NOT NULL,
  "max_uses" bigint,
  "uses" bigint DEFAULT 0 NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "revoked_at" timestamp(3) with time zone
);
-- table conversations
CREATE TABLE IF NOT EXISTS "conversations" (
  "id" uuid NOT NULL,
  "type" conversation_type NOT NULL,
  "direct_key" text,
  "title" text,
  "description" text,
  "avatar_media_id" uuid,
  "visibility" conversation_visibility DEFAULT 'private'::conversation_visibility NOT NULL,
  "settings" jsonb NOT NULL,
  "created_by" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "updated_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "deleted_at" timestamp(3) with time zone
);
-- table data_exports
CREATE TABLE IF NOT EXISTS "data_exports" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "state" export_state DEFAULT 'pending'::export_state NOT NULL,
  "storage_key" text,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "expires_at" timestamp(3) with time zone
);
-- table dead_letters
CREATE TABLE IF NOT EXISTS "dead_letters" (
  "id" uuid NOT NULL,
  "queue" text NOT NULL,
  "topic" text NOT NULL,
  "payload" jsonb NOT NULL,
  "reason" text NOT NULL,
  "attempts" integer NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "replayed_at" timestamp(3) with time zone
);
-- table drafts
CREATE TABLE IF NOT EXISTS "drafts" (
  "user_id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "thread_id" uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
  "rev" bigint NOT NULL,
  "body" text NOT NULL,
  "reply_to_seq" bigint,
  "attachment_ids" uuid[] DEFAULT ARRAY[]::uuid[] NOT NULL,
  "updated_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "deleted_at" timestamp(3) with time zone
);
-- table health_alerts
CREATE TABLE IF NOT EXISTS "health_alerts" (
  "id" uuid NOT NULL,
  "metric" text NOT NULL,
  "level" alert_level NOT NULL,
  "replica_id" uuid,
  "value" double precision NOT NULL,
  "threshold" double precision NOT NULL,
  "opened_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "resolved_at" timestamp(3) with time zone
);
-- table idempotency_keys
CREATE TABLE IF NOT EXISTS "idempotency_keys" (
  "scope" text NOT NULL,
  "route" text NOT NULL,
  "key" text NOT NULL,
  "body_hash" text NOT NULL,
  "state" idempotency_state NOT NULL,
  "status" bigint,
  "response" jsonb,
  "expires_at" timestamp(3) with time zone NOT NULL
);
-- table job_lease
CREATE TABLE IF NOT EXISTS "job_lease" (
  "job" text NOT NULL,
  "holder" uuid NOT NULL,
  "fence" bigint NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "last_run_at" timestamp(3) with time zone,
  "last_result" jsonb,
  "next_run_at" timestamp(3) with time zone
);
-- table load_test_reports
CREATE TABLE IF NOT EXISTS "load_test_reports" (
  "id" uuid NOT NULL,
  "name" text NOT NULL,
  "scenario" text NOT NULL,
  "version" text NOT NULL,
  "started_at" timestamp(3) with time zone NOT NULL,
  "finished_at" timestamp(3) with time zone NOT NULL,
  "summary" jsonb NOT NULL,
  "created_by" uuid NOT NULL
);
-- table media_objects
CREATE TABLE IF NOT EXISTS "media_objects" (
  "id" uuid NOT NULL,
  "owner_id" uuid NOT NULL,
  "purpose" media_purpose NOT NULL,
  "name" text NOT NULL,
  "mime_claimed" text NOT NULL,
  "mime" text,
  "size" bigint NOT NULL,
  "sha256" text,
  "storage_key" text NOT NULL,
  "driver" text NOT NULL,
  "state" media_state DEFAULT 'pending'::media_state NOT NULL,
  "width" bigint,
  "height" bigint,
  "duration_ms" bigint,
  "blurhash" text,
  "reject_reason" text,
  "bound_at" timestamp(3) with time zone,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "uploaded_at" timestamp(3) with time zone,
  "ready_at" timestamp(3) with time zone,
  "deleted_at" timestamp(3) with time zone,
  "part_bytes" bigint,
  "upload_id" text
);
-- table media_variants
CREATE TABLE IF NOT EXISTS "media_variants" (
  "media_id" uuid NOT NULL,
  "variant" text NOT NULL,
  "storage_key" text NOT NULL,
  "mime" text NOT NULL,
  "size" bigint NOT NULL,
  "width" bigint NOT NULL,
  "height" bigint NOT NULL
);
-- table memberships
CREATE TABLE IF NOT EXISTS "memberships" (
  "conversation_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "user_rev" bigint NOT NULL,
  "role" member_role DEFAULT 'member'::member_role NOT NULL,
  "state" member_state DEFAULT 'active'::member_state NOT NULL,
  "visible_from_seq" bigint DEFAULT 1 NOT NULL,
  "delivered_seq" bigint DEFAULT 0 NOT NULL,
  "read_seq" bigint DEFAULT 0 NOT NULL,
  "read_ord" bigint DEFAULT 0 NOT NULL,
  "foreground_seq" bigint DEFAULT 0 NOT NULL,
  "notify_level" notify_level DEFAULT 'default'::notify_level NOT NULL,
  "muted_until" timestamp(3) with time zone,
  "pinned_at" timestamp(3) with time zone,
  "archived_at" timestamp(3) with time zone,
  "marked_unread" boolean DEFAULT false NOT NULL,
  "invited_by" uuid,
  "joined_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "left_at" timestamp(3) with time zone
) WITH (fillfactor=70);
-- table message_attachments
CREATE TABLE IF NOT EXISTS "message_attachments" (
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "position" bigint NOT NULL,
  "media_id" uuid NOT NULL
);
-- table message_mentions
CREATE TABLE IF NOT EXISTS "message_mentions" (
  "user_id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL
);
-- table message_reactions
CREATE TABLE IF NOT EXISTS "message_reactions" (
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "emoji" text NOT NULL,
  "user_id" uuid NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table message_search
CREATE TABLE IF NOT EXISTS "message_search" (
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "sender_id" uuid,
  "kind" message_kind NOT NULL,
  "created_at" timestamp(3) with time zone NOT NULL,
  "body" text NOT NULL,
  "tsv" tsvector NOT NULL
);
-- table messages
CREATE TABLE IF NOT EXISTS "messages" (
  "conversation_id" uuid NOT NULL,
  "seq" bigint NOT NULL,
  "id" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "ord" bigint NOT NULL,
  "sender_id" uuid,
  "client_id" uuid,
  "payload_hash" text,
  "kind" message_kind DEFAULT 'text'::message_kind NOT NULL,
  "body" text,
  "meta" jsonb,
  "mentions" uuid[] DEFAULT ARRAY[]::uuid[] NOT NULL,
  "mention_all" boolean DEFAULT false NOT NULL,
  "reply_to_seq" bigint,
  "thread_id" uuid,
  "forwarded_from" jsonb,
  "silent" boolean DEFAULT false NOT NULL,
  "counts" boolean DEFAULT true NOT NULL,
  "pinned_at" timestamp(3) with time zone,
  "pinned_by" uuid,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "edited_at" timestamp(3) with time zone,
  "deleted_at" timestamp(3) with time zone,
  "deleted_by" uuid
);
-- table notification_decisions
CREATE TABLE IF NOT EXISTS "notification_decisions" (
  "message_id" uuid NOT NULL,
  "device_id" text NOT NULL,
  "user_id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "decision" decision_outcome DEFAULT 'pending'::decision_outcome NOT NULL,
  "reason" text NOT NULL,
  "provider" text NOT NULL,
  "collapse_key" text NOT NULL,
  "attempts" bigint DEFAULT 0 NOT NULL,
  "provider_status" text,
  "decided_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "sent_at" timestamp(3) with time zone
);
-- table notifications
CREATE TABLE IF NOT EXISTS "notifications" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "kind" text NOT NULL,
  "dedupe_key" text NOT NULL,
  "actor_id" uuid,
  "conversation_id" uuid,
  "seq" bigint,
  "data" jsonb DEFAULT '{}'::jsonb NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "read_at" timestamp(3) with time zone,
  "dismissed_at" timestamp(3) with time zone
);
-- table otp_tokens
CREATE TABLE IF NOT EXISTS "otp_tokens" (
  "id" uuid NOT NULL,
  "identifier_hash" text NOT NULL,
  "purpose" otp_purpose NOT NULL,
  "code_hash" text NOT NULL,
  "attempts" integer DEFAULT 0 NOT NULL,
  "ip_hash" text NOT NULL,
  "sent_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "consumed_at" timestamp(3) with time zone
);
-- table outbox
CREATE TABLE IF NOT EXISTS "outbox" (
  "id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
  "topic" text NOT NULL,
  "key" text NOT NULL,
  "payload" jsonb NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "attempts" integer DEFAULT 0 NOT NULL,
  "next_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table permissions
CREATE TABLE IF NOT EXISTS "permissions" (
  "name" text NOT NULL,
  "description" text NOT NULL
);
-- table presence_entries
CREATE TABLE IF NOT EXISTS "presence_entries" (
  "user_id" uuid NOT NULL,
  "replica_id" uuid NOT NULL,
  "state" presence_activity DEFAULT 'active'::presence_activity NOT NULL,
  "since" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table presence_state
CREATE TABLE IF NOT EXISTS "presence_state" (
  "user_id" uuid NOT NULL,
  "is_online" boolean DEFAULT false NOT NULL,
  "last_seen_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "mode" presence_mode DEFAULT 'auto'::presence_mode NOT NULL,
  "ver" bigint DEFAULT 0 NOT NULL
);
-- table push_devices
CREATE TABLE IF NOT EXISTS "push_devices" (
  "user_id" uuid NOT NULL,
  "device_id" text NOT NULL,
  "provider" text NOT NULL,
  "token_hash" text NOT NULL,
  "token_enc" text NOT NULL,
  "platform" text NOT NULL,
  "app_version" text,
  "locale" text,
  "enabled" boolean DEFAULT true NOT NULL,
  "rev" bigint NOT NULL,
  "last_ok_at" timestamp(3) with time zone,
  "failed_at" timestamp(3) with time zone,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "deleted_at" timestamp(3) with time zone
);
-- table rate_limit_counters
CREATE TABLE IF NOT EXISTS "rate_limit_counters" (
  "key" text NOT NULL,
  "window_start" timestamp(3) with time zone NOT NULL,
  "count" bigint NOT NULL
);
-- table rate_limit_violations
CREATE TABLE IF NOT EXISTS "rate_limit_violations" (
  "id" uuid NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "rule" text NOT NULL,
  "route" text NOT NULL,
  "key_hash" text NOT NULL,
  "user_id" uuid,
  "ip_hash" text NOT NULL,
  "count" bigint NOT NULL
);
-- table recent_activity
CREATE TABLE IF NOT EXISTS "recent_activity" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "kind" text NOT NULL,
  "session_id" uuid,
  "ip_hash" text NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table refresh_tokens
CREATE TABLE IF NOT EXISTS "refresh_tokens" (
  "id" uuid NOT NULL,
  "session_id" uuid NOT NULL,
  "token_hash" text NOT NULL,
  "issued_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "rotated_at" timestamp(3) with time zone,
  "successor_id" uuid
);
-- table replica_lease
CREATE TABLE IF NOT EXISTS "replica_lease" (
  "replica_id" uuid NOT NULL,
  "host" text NOT NULL,
  "version" text NOT NULL,
  "started_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "stats" jsonb DEFAULT '{}'::jsonb NOT NULL
);
-- table reports
CREATE TABLE IF NOT EXISTS "reports" (
  "id" uuid NOT NULL,
  "reporter_id" uuid NOT NULL,
  "message_id" uuid,
  "user_id" uuid,
  "reason" report_reason NOT NULL,
  "note" text,
  "state" report_state DEFAULT 'open'::report_state NOT NULL,
  "resolved_by" uuid,
  "resolved_at" timestamp(3) with time zone,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table role_permissions
CREATE TABLE IF NOT EXISTS "role_permissions" (
  "role_id" uuid NOT NULL,
  "permission" text NOT NULL
);
-- table roles
CREATE TABLE IF NOT EXISTS "roles" (
  "id" uuid NOT NULL,
  "name" text NOT NULL,
  "description" text NOT NULL,
  "built_in" boolean DEFAULT false NOT NULL
);
-- table scheduled_messages
CREATE TABLE IF NOT EXISTS "scheduled_messages" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "client_id" uuid NOT NULL,
  "payload" jsonb NOT NULL,
  "send_at" timestamp(3) with time zone NOT NULL,
  "state" scheduled_state DEFAULT 'pending'::scheduled_state NOT NULL,
  "failure_code" text,
  "message_id" uuid,
  "rev" bigint NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table server_epoch
CREATE TABLE IF NOT EXISTS "server_epoch" (
  "id" integer DEFAULT 1 NOT NULL,
  "epoch" uuid NOT NULL,
  "reason" text NOT NULL,
  "changed_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table setup_tokens
CREATE TABLE IF NOT EXISTS "setup_tokens" (
  "id" integer DEFAULT 1 NOT NULL,
  "token_hash" text NOT NULL,
  "expires_at" timestamp(3) with time zone NOT NULL,
  "used_at" timestamp(3) with time zone
);
-- table signing_keys
CREATE TABLE IF NOT EXISTS "signing_keys" (
  "kid" text NOT NULL,
  "public_jwk" jsonb NOT NULL,
  "private_enc" text NOT NULL,
  "active_from" timestamp(3) with time zone NOT NULL,
  "retired_at" timestamp(3) with time zone,
  "expires_at" timestamp(3) with time zone
);
-- table system_health_config
CREATE TABLE IF NOT EXISTS "system_health_config" (
  "id" integer DEFAULT nextval('system_health_config_id_seq'::regclass) NOT NULL,
  "thresholds" jsonb NOT NULL,
  "backupLocation" character varying(255) NOT NULL,
  "refreshInterval" integer DEFAULT 30000 NOT NULL,
  "metricsRetentionDays" integer DEFAULT 7 NOT NULL,
  "aggregateRetentionDays" integer DEFAULT 365 NOT NULL,
  "updated_at" timestamp(6) without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table system_metric_daily
CREATE TABLE IF NOT EXISTS "system_metric_daily" (
  "day" date NOT NULL,
  "replica_id" uuid NOT NULL,
  "samples" bigint NOT NULL,
  "reqCountSum" bigint NOT NULL,
  "errCountSum" bigint NOT NULL,
  "slowQueriesSum" bigint NOT NULL,
  "latencyAvg" double precision NOT NULL,
  "latencyMax" double precision NOT NULL,
  "p50LatencyAvg" double precision NOT NULL,
  "p50LatencyMax" double precision NOT NULL,
  "p95LatencyAvg" double precision NOT NULL,
  "p95LatencyMax" double precision NOT NULL,
  "p99LatencyAvg" double precision NOT NULL,
  "p99LatencyMax" double precision NOT NULL,
  "errorRateAvg" double precision NOT NULL,
  "errorRateMax" double precision NOT NULL,
  "cacheHitRateAvg" double precision NOT NULL,
  "cacheHitRateMax" double precision NOT NULL,
  "cpuUsageAvg" double precision NOT NULL,
  "cpuUsageMax" double precision NOT NULL,
  "memoryUsageAvg" double precision NOT NULL,
  "memoryUsageMax" double precision NOT NULL,
  "wsConnectionsAvg" double precision NOT NULL,
  "wsConnectionsMax" double precision NOT NULL,
  "outboxDepthAvg" double precision NOT NULL,
  "outboxDepthMax" double precision NOT NULL,
  "loopDelayAvg" double precision NOT NULL,
  "loopDelayMax" double precision NOT NULL
);
-- table system_metric_samples
CREATE TABLE IF NOT EXISTS "system_metric_samples" (
  "id" uuid NOT NULL,
  "replica_id" uuid NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "reqCount" bigint NOT NULL,
  "errCount" bigint NOT NULL,
  "latency" double precision NOT NULL,
  "p50Latency" double precision NOT NULL,
  "p95Latency" double precision NOT NULL,
  "p99Latency" double precision NOT NULL,
  "errorRate" double precision NOT NULL,
  "cacheHitRate" double precision NOT NULL,
  "slowQueries" bigint NOT NULL,
  "cpuUsage" double precision NOT NULL,
  "memoryUsage" double precision NOT NULL,
  "wsConnections" bigint NOT NULL,
  "outboxDepth" bigint NOT NULL,
  "loopDelay" double precision NOT NULL
);
-- table thread_members
CREATE TABLE IF NOT EXISTS "thread_members" (
  "thread_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "read_seq" bigint DEFAULT 0 NOT NULL,
  "following" boolean DEFAULT true NOT NULL,
  "joined_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table threads
CREATE TABLE IF NOT EXISTS "threads" (
  "id" uuid NOT NULL,
  "conversation_id" uuid NOT NULL,
  "root_seq" bigint NOT NULL,
  "rev" bigint NOT NULL,
  "title" text,
  "locked_at" timestamp(3) with time zone,
  "reply_count" bigint DEFAULT 0 NOT NULL,
  "last_reply_seq" bigint,
  "last_reply_at" timestamp(3) with time zone,
  "created_by" uuid NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table user_blocks
CREATE TABLE IF NOT EXISTS "user_blocks" (
  "owner_id" uuid NOT NULL,
  "target_id" uuid NOT NULL,
  "rev" bigint NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "deleted_at" timestamp(3) with time zone
);
-- table user_head
CREATE TABLE IF NOT EXISTS "user_head" (
  "user_id" uuid NOT NULL,
  "rev" bigint DEFAULT 0 NOT NULL
) WITH (fillfactor=50);
-- table user_identities
CREATE TABLE IF NOT EXISTS "user_identities" (
  "issuer" text NOT NULL,
  "subject" text NOT NULL,
  "user_id" uuid NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table user_permissions
CREATE TABLE IF NOT EXISTS "user_permissions" (
  "user_id" uuid NOT NULL,
  "permission" text NOT NULL,
  "granted" boolean NOT NULL,
  "set_by" uuid NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table user_preferences
CREATE TABLE IF NOT EXISTS "user_preferences" (
  "user_id" uuid NOT NULL,
  "notifications" jsonb NOT NULL,
  "privacy" jsonb NOT NULL,
  "rev" bigint NOT NULL,
  "updated_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table user_roles
CREATE TABLE IF NOT EXISTS "user_roles" (
  "user_id" uuid NOT NULL,
  "role_id" uuid NOT NULL,
  "granted_by" uuid NOT NULL,
  "at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table user_sessions
CREATE TABLE IF NOT EXISTS "user_sessions" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "kind" session_kind NOT NULL,
  "issuer" text,
  "device_id" text NOT NULL,
  "name" text,
  "platform" text NOT NULL,
  "ip_hash" text NOT NULL,
  "user_agent" text,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "last_used_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "expires_at" timestamp(3) with time zone,
  "revoked_at" timestamp(3) with time zone,
  "revoke_reason" text
);
-- table users
CREATE TABLE IF NOT EXISTS "users" (
  "id" uuid NOT NULL,
  "handle" text,
  "display_name" text NOT NULL,
  "bio" text,
  "avatar_media_id" uuid,
  "email" text,
  "phone" text,
  "email_verified_at" timestamp(3) with time zone,
  "phone_verified_at" timestamp(3) with time zone,
  "password" text,
  "locale" text DEFAULT 'en'::text NOT NULL,
  "time_zone" text DEFAULT 'UTC'::text NOT NULL,
  "state" user_state DEFAULT 'active'::user_state NOT NULL,
  "suspended_until" timestamp(3) with time zone,
  "suspend_reason" text,
  "deleted_at" timestamp(3) with time zone,
  "erase_after" timestamp(3) with time zone,
  "erased_at" timestamp(3) with time zone,
  "last_login_at" timestamp(3) with time zone,
  "rev" bigint DEFAULT 0 NOT NULL,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
  "updated_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table webhook_deliveries
CREATE TABLE IF NOT EXISTS "webhook_deliveries" (
  "id" uuid NOT NULL,
  "endpoint_id" uuid NOT NULL,
  "event_id" text NOT NULL,
  "type" text NOT NULL,
  "payload" jsonb NOT NULL,
  "state" webhook_delivery_state DEFAULT 'pending'::webhook_delivery_state NOT NULL,
  "attempts" bigint DEFAULT 0 NOT NULL,
  "next_at" timestamp(3) with time zone,
  "last_status" bigint,
  "created_at" timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
-- table webhook_endpoints
CREATE TABLE IF NOT EXISTS "webhook_endpoints" (
  "id" uuid NOT NULL,
  "url" text NOT NULL,
  "description" text,
  "secret_enc" text NOT NULL,
  "events" text[] DEFAULT ARRAY[]::text[] NOT NULL,
  "enabled" boolean DEFAULT true NOT NULL,
  "failures" bigint DEFAULT 0 NOT NULL,
  "disabled_at" timestamp(3) with time zone
);
-- sequence system_health_config_id_seq
ALTER SEQUENCE "system_health_config_id_seq" OWNED BY system_health_config.id;
-- primary key audit_head.audit_head_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"audit_head"'::regclass AND conname = 'audit_head_pkey') THEN ALTER TABLE "audit_head" ADD CONSTRAINT "audit_head_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key audit_logs.audit_logs_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"audit_logs"'::regclass AND conname = 'audit_logs_pkey') THEN ALTER TABLE "audit_logs" ADD CONSTRAINT "audit_logs_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key call_logs.call_logs_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_logs"'::regclass AND conname = 'call_logs_pkey') THEN ALTER TABLE "call_logs" ADD CONSTRAINT "call_logs_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key call_participants.call_participants_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_participants"'::regclass AND conname = 'call_participants_pkey') THEN ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_pkey" PRIMARY KEY (call_id, user_id); END IF; END $parley$;
-- primary key contacts.contacts_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"contacts"'::regclass AND conname = 'contacts_pkey') THEN ALTER TABLE "contacts" ADD CONSTRAINT "contacts_pkey" PRIMARY KEY (owner_id, target_id); END IF; END $parley$;
-- primary key conversation_head.conversation_head_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_head"'::regclass AND conname = 'conversation_head_pkey') THEN ALTER TABLE "conversation_head" ADD CONSTRAINT "conversation_head_pkey" PRIMARY KEY (conversation_id); END IF; END $parley$;
-- primary key conversation_invites.conversation_invites_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_invites"'::regclass AND conname = 'conversation_invites_pkey') THEN ALTER TABLE "conversation_invites" ADD CONSTRAINT "conversation_invites_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key conversations.conversations_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversations"'::regclass AND conname = 'conversations_pkey') THEN ALTER TABLE "conversations" ADD CONSTRAINT "conversations_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key data_exports.data_exports_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"data_exports"'::regclass AND conname = 'data_exports_pkey') THEN ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key dead_letters.dead_letters_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"dead_letters"'::regclass AND conname = 'dead_letters_pkey') THEN ALTER TABLE "dead_letters" ADD CONSTRAINT "dead_letters_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key drafts.drafts_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"drafts"'::regclass AND conname = 'drafts_pkey') THEN ALTER TABLE "drafts" ADD CONSTRAINT "drafts_pkey" PRIMARY KEY (user_id, conversation_id, thread_id); END IF; END $parley$;
-- primary key health_alerts.health_alerts_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"health_alerts"'::regclass AND conname = 'health_alerts_pkey') THEN ALTER TABLE "health_alerts" ADD CONSTRAINT "health_alerts_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key idempotency_keys.idempotency_keys_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"idempotency_keys"'::regclass AND conname = 'idempotency_keys_pkey') THEN ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY (scope, route, key); END IF; END $parley$;
-- primary key job_lease.job_lease_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"job_lease"'::regclass AND conname = 'job_lease_pkey') THEN ALTER TABLE "job_lease" ADD CONSTRAINT "job_lease_pkey" PRIMARY KEY (job); END IF; END $parley$;
-- primary key load_test_reports.load_test_reports_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"load_test_reports"'::regclass AND conname = 'load_test_reports_pkey') THEN ALTER TABLE "load_test_reports" ADD CONSTRAINT "load_test_reports_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key media_objects.media_objects_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"media_objects"'::regclass AND conname = 'media_objects_pkey') THEN ALTER TABLE "media_objects" ADD CONSTRAINT "media_objects_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key media_variants.media_variants_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"media_variants"'::regclass AND conname = 'media_variants_pkey') THEN ALTER TABLE "media_variants" ADD CONSTRAINT "media_variants_pkey" PRIMARY KEY (media_id, variant); END IF; END $parley$;
-- primary key memberships.memberships_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"memberships"'::regclass AND conname = 'memberships_pkey') THEN ALTER TABLE "memberships" ADD CONSTRAINT "memberships_pkey" PRIMARY KEY (conversation_id, user_id); END IF; END $parley$;
-- primary key message_attachments.message_attachments_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_attachments"'::regclass AND conname = 'message_attachments_pkey') THEN ALTER TABLE "message_attachments" ADD CONSTRAINT "message_attachments_pkey" PRIMARY KEY (conversation_id, seq, "position"); END IF; END $parley$;
-- primary key message_mentions.message_mentions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_mentions"'::regclass AND conname = 'message_mentions_pkey') THEN ALTER TABLE "message_mentions" ADD CONSTRAINT "message_mentions_pkey" PRIMARY KEY (user_id, conversation_id, seq); END IF; END $parley$;
-- primary key message_reactions.message_reactions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_reactions"'::regclass AND conname = 'message_reactions_pkey') THEN ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_pkey" PRIMARY KEY (conversation_id, seq, emoji, user_id); END IF; END $parley$;
-- primary key message_search.message_search_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_search"'::regclass AND conname = 'message_search_pkey') THEN ALTER TABLE "message_search" ADD CONSTRAINT "message_search_pkey" PRIMARY KEY (conversation_id, seq); END IF; END $parley$;
-- primary key messages.messages_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"messages"'::regclass AND conname = 'messages_pkey') THEN ALTER TABLE "messages" ADD CONSTRAINT "messages_pkey" PRIMARY KEY (conversation_id, seq); END IF; END $parley$;
-- primary key notification_decisions.notification_decisions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"notification_decisions"'::regclass AND conname = 'notification_decisions_pkey') THEN ALTER TABLE "notification_decisions" ADD CONSTRAINT "notification_decisions_pkey" PRIMARY KEY (message_id, user_id, device_id); END IF; END $parley$;
-- primary key notifications.notifications_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"notifications"'::regclass AND conname = 'notifications_pkey') THEN ALTER TABLE "notifications" ADD CONSTRAINT "notifications_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key otp_tokens.otp_tokens_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"otp_tokens"'::regclass AND conname = 'otp_tokens_pkey') THEN ALTER TABLE "otp_tokens" ADD CONSTRAINT "otp_tokens_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key outbox.outbox_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"outbox"'::regclass AND conname = 'outbox_pkey') THEN ALTER TABLE "outbox" ADD CONSTRAINT "outbox_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key permissions.permissions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"permissions"'::regclass AND conname = 'permissions_pkey') THEN ALTER TABLE "permissions" ADD CONSTRAINT "permissions_pkey" PRIMARY KEY (name); END IF; END $parley$;
-- primary key presence_entries.presence_entries_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"presence_entries"'::regclass AND conname = 'presence_entries_pkey') THEN ALTER TABLE "presence_entries" ADD CONSTRAINT "presence_entries_pkey" PRIMARY KEY (user_id, replica_id); END IF; END $parley$;
-- primary key presence_state.presence_state_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"presence_state"'::regclass AND conname = 'presence_state_pkey') THEN ALTER TABLE "presence_state" ADD CONSTRAINT "presence_state_pkey" PRIMARY KEY (user_id); END IF; END $parley$;
-- primary key push_devices.push_devices_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"push_devices"'::regclass AND conname = 'push_devices_pkey') THEN ALTER TABLE "push_devices" ADD CONSTRAINT "push_devices_pkey" PRIMARY KEY (user_id, device_id); END IF; END $parley$;
-- primary key rate_limit_counters.rate_limit_counters_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"rate_limit_counters"'::regclass AND conname = 'rate_limit_counters_pkey') THEN ALTER TABLE "rate_limit_counters" ADD CONSTRAINT "rate_limit_counters_pkey" PRIMARY KEY (key, window_start); END IF; END $parley$;
-- primary key rate_limit_violations.rate_limit_violations_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"rate_limit_violations"'::regclass AND conname = 'rate_limit_violations_pkey') THEN ALTER TABLE "rate_limit_violations" ADD CONSTRAINT "rate_limit_violations_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key recent_activity.recent_activity_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"recent_activity"'::regclass AND conname = 'recent_activity_pkey') THEN ALTER TABLE "recent_activity" ADD CONSTRAINT "recent_activity_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key refresh_tokens.refresh_tokens_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"refresh_tokens"'::regclass AND conname = 'refresh_tokens_pkey') THEN ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key replica_lease.replica_lease_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"replica_lease"'::regclass AND conname = 'replica_lease_pkey') THEN ALTER TABLE "replica_lease" ADD CONSTRAINT "replica_lease_pkey" PRIMARY KEY (replica_id); END IF; END $parley$;
-- primary key reports.reports_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"reports"'::regclass AND conname = 'reports_pkey') THEN ALTER TABLE "reports" ADD CONSTRAINT "reports_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key role_permissions.role_permissions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"role_permissions"'::regclass AND conname = 'role_permissions_pkey') THEN ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_pkey" PRIMARY KEY (role_id, permission); END IF; END $parley$;
-- primary key roles.roles_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"roles"'::regclass AND conname = 'roles_pkey') THEN ALTER TABLE "roles" ADD CONSTRAINT "roles_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key scheduled_messages.scheduled_messages_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"scheduled_messages"'::regclass AND conname = 'scheduled_messages_pkey') THEN ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key server_epoch.server_epoch_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"server_epoch"'::regclass AND conname = 'server_epoch_pkey') THEN ALTER TABLE "server_epoch" ADD CONSTRAINT "server_epoch_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key setup_tokens.setup_tokens_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"setup_tokens"'::regclass AND conname = 'setup_tokens_pkey') THEN ALTER TABLE "setup_tokens" ADD CONSTRAINT "setup_tokens_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key signing_keys.signing_keys_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"signing_keys"'::regclass AND conname = 'signing_keys_pkey') THEN ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_pkey" PRIMARY KEY (kid); END IF; END $parley$;
-- primary key system_health_config.system_health_config_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"system_health_config"'::regclass AND conname = 'system_health_config_pkey') THEN ALTER TABLE "system_health_config" ADD CONSTRAINT "system_health_config_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key system_metric_daily.system_metric_daily_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"system_metric_daily"'::regclass AND conname = 'system_metric_daily_pkey') THEN ALTER TABLE "system_metric_daily" ADD CONSTRAINT "system_metric_daily_pkey" PRIMARY KEY (day, replica_id); END IF; END $parley$;
-- primary key system_metric_samples.system_metric_samples_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"system_metric_samples"'::regclass AND conname = 'system_metric_samples_pkey') THEN ALTER TABLE "system_metric_samples" ADD CONSTRAINT "system_metric_samples_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key thread_members.thread_members_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"thread_members"'::regclass AND conname = 'thread_members_pkey') THEN ALTER TABLE "thread_members" ADD CONSTRAINT "thread_members_pkey" PRIMARY KEY (thread_id, user_id); END IF; END $parley$;
-- primary key threads.threads_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"threads"'::regclass AND conname = 'threads_pkey') THEN ALTER TABLE "threads" ADD CONSTRAINT "threads_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key user_blocks.user_blocks_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_blocks"'::regclass AND conname = 'user_blocks_pkey') THEN ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_pkey" PRIMARY KEY (owner_id, target_id); END IF; END $parley$;
-- primary key user_head.user_head_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_head"'::regclass AND conname = 'user_head_pkey') THEN ALTER TABLE "user_head" ADD CONSTRAINT "user_head_pkey" PRIMARY KEY (user_id); END IF; END $parley$;
-- primary key user_identities.user_identities_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_identities"'::regclass AND conname = 'user_identities_pkey') THEN ALTER TABLE "user_identities" ADD CONSTRAINT "user_identities_pkey" PRIMARY KEY (issuer, subject); END IF; END $parley$;
-- primary key user_permissions.user_permissions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_permissions"'::regclass AND conname = 'user_permissions_pkey') THEN ALTER TABLE "user_permissions" ADD CONSTRAINT "user_permissions_pkey" PRIMARY KEY (user_id, permission); END IF; END $parley$;
-- primary key user_preferences.user_preferences_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_preferences"'::regclass AND conname = 'user_preferences_pkey') THEN ALTER TABLE "user_preferences" ADD CONSTRAINT "user_preferences_pkey" PRIMARY KEY (user_id); END IF; END $parley$;
-- primary key user_roles.user_roles_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_roles"'::regclass AND conname = 'user_roles_pkey') THEN ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_pkey" PRIMARY KEY (user_id, role_id); END IF; END $parley$;
-- primary key user_sessions.user_sessions_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_sessions"'::regclass AND conname = 'user_sessions_pkey') THEN ALTER TABLE "user_sessions" ADD CONSTRAINT "user_sessions_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key users.users_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"users"'::regclass AND conname = 'users_pkey') THEN ALTER TABLE "users" ADD CONSTRAINT "users_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key webhook_deliveries.webhook_deliveries_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"webhook_deliveries"'::regclass AND conname = 'webhook_deliveries_pkey') THEN ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- primary key webhook_endpoints.webhook_endpoints_pkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"webhook_endpoints"'::regclass AND conname = 'webhook_endpoints_pkey') THEN ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY (id); END IF; END $parley$;
-- index audit_logs.audit_logs_actor_id_at_idx
CREATE INDEX IF NOT EXISTS "audit_logs_actor_id_at_idx" ON audit_logs USING btree (actor_id, at);
-- index audit_logs.audit_logs_at_idx
CREATE INDEX IF NOT EXISTS "audit_logs_at_idx" ON audit_logs USING btree (at);
-- index audit_logs.audit_logs_target_type_target_id_idx
CREATE INDEX IF NOT EXISTS "audit_logs_target_type_target_id_idx" ON audit_logs USING btree (target_type, target_id);
-- unique index call_logs.call_logs_conversation_id_seq_key
CREATE UNIQUE INDEX IF NOT EXISTS "call_logs_conversation_id_seq_key" ON call_logs USING btree (conversation_id, seq);
-- unique index call_logs.call_logs_running_key
CREATE UNIQUE INDEX IF NOT EXISTS "call_logs_running_key" ON call_logs USING btree (conversation_id) WHERE (state = ANY (ARRAY['ringing'::call_state, 'active'::call_state]));
-- index call_participants.call_participants_user_id_idx
CREATE INDEX IF NOT EXISTS "call_participants_user_id_idx" ON call_participants USING btree (user_id);
-- index contacts.contacts_owner_id_rev_idx
CREATE INDEX IF NOT EXISTS "contacts_owner_id_rev_idx" ON contacts USING btree (owner_id, rev);
-- index contacts.contacts_target_id_idx
CREATE INDEX IF NOT EXISTS "contacts_target_id_idx" ON contacts USING btree (target_id);
-- unique index conversation_invites.conversation_invites_code_hash_key
CREATE UNIQUE INDEX IF NOT EXISTS "conversation_invites_code_hash_key" ON conversation_invites USING btree (code_hash);
-- index conversation_invites.conversation_invites_conversation_id_idx
CREATE INDEX IF NOT EXISTS "conversation_invites_conversation_id_idx" ON conversation_invites USING btree (conversation_id);
-- unique index conversations.conversations_direct_key_key
CREATE UNIQUE INDEX IF NOT EXISTS "conversations_direct_key_key" ON conversations USING btree (direct_key);
-- index conversations.conversations_title_idx
CREATE INDEX IF NOT EXISTS "conversations_title_idx" ON conversations USING gin (title gin_trgm_ops) WHERE ((visibility = 'public'::conversation_visibility) AND (deleted_at IS NULL));
-- index data_exports.data_exports_user_id_idx
CREATE INDEX IF NOT EXISTS "data_exports_user_id_idx" ON data_exports USING btree (user_id);
-- index dead_letters.dead_letters_queue_created_at_idx
CREATE INDEX IF NOT EXISTS "dead_letters_queue_created_at_idx" ON dead_letters USING btree (queue, created_at);
-- index drafts.drafts_user_id_rev_idx
CREATE INDEX IF NOT EXISTS "drafts_user_id_rev_idx" ON drafts USING btree (user_id, rev);
-- unique index health_alerts.health_alerts_open_key
CREATE UNIQUE INDEX IF NOT EXISTS "health_alerts_open_key" ON health_alerts USING btree (metric, COALESCE(replica_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE (resolved_at IS NULL);
-- index idempotency_keys.idempotency_keys_expires_at_idx
CREATE INDEX IF NOT EXISTS "idempotency_keys_expires_at_idx" ON idempotency_keys USING btree (expires_at);
-- index load_test_reports.load_test_reports_scenario_started_at_idx
CREATE INDEX IF NOT EXISTS "load_test_reports_scenario_started_at_idx" ON load_test_reports USING btree (scenario, started_at);
-- unique index media_objects.media_objects_storage_key_key
CREATE UNIQUE INDEX IF NOT EXISTS "media_objects_storage_key_key" ON media_objects USING btree (storage_key);
-- index media_objects.media_objects_owner_id_created_at_idx
CREATE INDEX IF NOT EXISTS "media_objects_owner_id_created_at_idx" ON media_objects USING btree (owner_id, created_at);
-- index media_objects.media_objects_state_created_at_idx
CREATE INDEX IF NOT EXISTS "media_objects_state_created_at_idx" ON media_objects USING btree (state, created_at);
-- index memberships.memberships_conversation_id_rev_idx
CREATE INDEX IF NOT EXISTS "memberships_conversation_id_rev_idx" ON memberships USING btree (conversation_id, rev);
-- index memberships.memberships_user_id_state_idx
CREATE INDEX IF NOT EXISTS "memberships_user_id_state_idx" ON memberships USING btree (user_id, state);
-- index memberships.memberships_user_id_user_rev_idx
CREATE INDEX IF NOT EXISTS "memberships_user_id_user_rev_idx" ON memberships USING btree (user_id, user_rev);
-- index message_attachments.message_attachments_media_id_idx
CREATE INDEX IF NOT EXISTS "message_attachments_media_id_idx" ON message_attachments USING btree (media_id);
-- index message_search.message_search_body_idx
CREATE INDEX IF NOT EXISTS "message_search_body_idx" ON message_search USING gin (body gin_trgm_ops);
-- index message_search.message_search_tsv_idx
CREATE INDEX IF NOT EXISTS "message_search_tsv_idx" ON message_search USING gin (tsv);
-- unique index messages.messages_conversation_id_sender_id_client_id_key
CREATE UNIQUE INDEX IF NOT EXISTS "messages_conversation_id_sender_id_client_id_key" ON messages USING btree (conversation_id, sender_id, client_id);
-- unique index messages.messages_id_key
CREATE UNIQUE INDEX IF NOT EXISTS "messages_id_key" ON messages USING btree (id);
-- index messages.messages_conversation_id_pinned_at_idx
CREATE INDEX IF NOT EXISTS "messages_conversation_id_pinned_at_idx" ON messages USING btree (conversation_id, pinned_at) WHERE (pinned_at IS NOT NULL);
-- index messages.messages_conversation_id_rev_idx
CREATE INDEX IF NOT EXISTS "messages_conversation_id_rev_idx" ON messages USING btree (conversation_id, rev);
-- index messages.messages_mention_all_idx
CREATE INDEX IF NOT EXISTS "messages_mention_all_idx" ON messages USING btree (conversation_id, seq) WHERE mention_all;
-- index messages.messages_thread_id_seq_idx
CREATE INDEX IF NOT EXISTS "messages_thread_id_seq_idx" ON messages USING btree (thread_id, seq) WHERE (thread_id IS NOT NULL);
-- index notification_decisions.notification_decisions_decided_at_idx
CREATE INDEX IF NOT EXISTS "notification_decisions_decided_at_idx" ON notification_decisions USING btree (decided_at);
-- index notification_decisions.notification_decisions_user_id_decided_at_idx
CREATE INDEX IF NOT EXISTS "notification_decisions_user_id_decided_at_idx" ON notification_decisions USING btree (user_id, decided_at);
-- unique index notifications.notifications_user_id_dedupe_key_key
CREATE UNIQUE INDEX IF NOT EXISTS "notifications_user_id_dedupe_key_key" ON notifications USING btree (user_id, dedupe_key);
-- index notifications.notifications_unread_idx
CREATE INDEX IF NOT EXISTS "notifications_unread_idx" ON notifications USING btree (user_id) WHERE ((read_at IS NULL) AND (dismissed_at IS NULL));
-- index notifications.notifications_user_id_id_idx
CREATE INDEX IF NOT EXISTS "notifications_user_id_id_idx" ON notifications USING btree (user_id, id DESC);
-- index notifications.notifications_user_id_rev_idx
CREATE INDEX IF NOT EXISTS "notifications_user_id_rev_idx" ON notifications USING btree (user_id, rev);
-- index otp_tokens.otp_tokens_identifier_hash_purpose_sent_at_idx
CREATE INDEX IF NOT EXISTS "otp_tokens_identifier_hash_purpose_sent_at_idx" ON otp_tokens USING btree (identifier_hash, purpose, sent_at DESC);
-- index outbox.outbox_next_at_idx
CREATE INDEX IF NOT EXISTS "outbox_next_at_idx" ON outbox USING btree (next_at);
-- index presence_entries.presence_entries_replica_id_idx
CREATE INDEX IF NOT EXISTS "presence_entries_replica_id_idx" ON presence_entries USING btree (replica_id);
-- index presence_state.presence_state_last_seen_at_idx
CREATE INDEX IF NOT EXISTS "presence_state_last_seen_at_idx" ON presence_state USING btree (last_seen_at) WHERE is_online;
-- unique index push_devices.push_devices_provider_token_hash_key
CREATE UNIQUE INDEX IF NOT EXISTS "push_devices_provider_token_hash_key" ON push_devices USING btree (provider, token_hash) WHERE (deleted_at IS NULL);
-- index push_devices.push_devices_user_id_rev_idx
CREATE INDEX IF NOT EXISTS "push_devices_user_id_rev_idx" ON push_devices USING btree (user_id, rev);
-- index rate_limit_violations.rate_limit_violations_at_idx
CREATE INDEX IF NOT EXISTS "rate_limit_violations_at_idx" ON rate_limit_violations USING btree (at);
-- index rate_limit_violations.rate_limit_violations_rule_at_idx
CREATE INDEX IF NOT EXISTS "rate_limit_violations_rule_at_idx" ON rate_limit_violations USING btree (rule, at);
-- index recent_activity.recent_activity_user_id_id_idx
CREATE INDEX IF NOT EXISTS "recent_activity_user_id_id_idx" ON recent_activity USING btree (user_id, id DESC);
-- unique index refresh_tokens.refresh_tokens_token_hash_key
CREATE UNIQUE INDEX IF NOT EXISTS "refresh_tokens_token_hash_key" ON refresh_tokens USING btree (token_hash);
-- index refresh_tokens.refresh_tokens_session_id_idx
CREATE INDEX IF NOT EXISTS "refresh_tokens_session_id_idx" ON refresh_tokens USING btree (session_id);
-- index replica_lease.replica_lease_expires_at_idx
CREATE INDEX IF NOT EXISTS "replica_lease_expires_at_idx" ON replica_lease USING btree (expires_at);
-- index reports.reports_state_id_idx
CREATE INDEX IF NOT EXISTS "reports_state_id_idx" ON reports USING btree (state, id);
-- unique index roles.roles_name_key
CREATE UNIQUE INDEX IF NOT EXISTS "roles_name_key" ON roles USING btree (name);
-- unique index scheduled_messages.scheduled_messages_user_id_conversation_id_client_id_key
CREATE UNIQUE INDEX IF NOT EXISTS "scheduled_messages_user_id_conversation_id_client_id_key" ON scheduled_messages USING btree (user_id, conversation_id, client_id);
-- index scheduled_messages.scheduled_messages_send_at_idx
CREATE INDEX IF NOT EXISTS "scheduled_messages_send_at_idx" ON scheduled_messages USING btree (send_at) WHERE (state = 'pending'::scheduled_state);
-- index scheduled_messages.scheduled_messages_user_id_rev_idx
CREATE INDEX IF NOT EXISTS "scheduled_messages_user_id_rev_idx" ON scheduled_messages USING btree (user_id, rev);
-- index system_metric_samples.system_metric_samples_at_idx
CREATE INDEX IF NOT EXISTS "system_metric_samples_at_idx" ON system_metric_samples USING btree (at);
-- index system_metric_samples.system_metric_samples_replica_id_at_idx
CREATE INDEX IF NOT EXISTS "system_metric_samples_replica_id_at_idx" ON system_metric_samples USING btree (replica_id, at);
-- index thread_members.thread_members_user_id_idx
CREATE INDEX IF NOT EXISTS "thread_members_user_id_idx" ON thread_members USING btree (user_id);
-- unique index threads.threads_conversation_id_root_seq_key
CREATE UNIQUE INDEX IF NOT EXISTS "threads_conversation_id_root_seq_key" ON threads USING btree (conversation_id, root_seq);
-- index threads.threads_conversation_id_rev_idx
CREATE INDEX IF NOT EXISTS "threads_conversation_id_rev_idx" ON threads USING btree (conversation_id, rev);
-- index user_blocks.user_blocks_owner_id_rev_idx
CREATE INDEX IF NOT EXISTS "user_blocks_owner_id_rev_idx" ON user_blocks USING btree (owner_id, rev);
-- index user_blocks.user_blocks_target_id_idx
CREATE INDEX IF NOT EXISTS "user_blocks_target_id_idx" ON user_blocks USING btree (target_id);
-- index user_identities.user_identities_user_id_idx
CREATE INDEX IF NOT EXISTS "user_identities_user_id_idx" ON user_identities USING btree (user_id);
-- index user_roles.user_roles_role_id_idx
CREATE INDEX IF NOT EXISTS "user_roles_role_id_idx" ON user_roles USING btree (role_id);
-- unique index user_sessions.user_sessions_user_id_issuer_device_id_key
CREATE UNIQUE INDEX IF NOT EXISTS "user_sessions_user_id_issuer_device_id_key" ON user_sessions USING btree (user_id, issuer, device_id) WHERE (kind = 'external'::session_kind);
-- index user_sessions.user_sessions_user_id_idx
CREATE INDEX IF NOT EXISTS "user_sessions_user_id_idx" ON user_sessions USING btree (user_id) WHERE (revoked_at IS NULL);
-- unique index users.users_email_key
CREATE UNIQUE INDEX IF NOT EXISTS "users_email_key" ON users USING btree (lower(email)) WHERE (deleted_at IS NULL);
-- unique index users.users_handle_key
CREATE UNIQUE INDEX IF NOT EXISTS "users_handle_key" ON users USING btree (lower(handle)) WHERE (deleted_at IS NULL);
-- unique index users.users_phone_key
CREATE UNIQUE INDEX IF NOT EXISTS "users_phone_key" ON users USING btree (phone) WHERE (deleted_at IS NULL);
-- index users.users_erase_after_idx
CREATE INDEX IF NOT EXISTS "users_erase_after_idx" ON users USING btree (erase_after) WHERE ((erase_after IS NOT NULL) AND (erased_at IS NULL));
-- index users.users_search_idx
CREATE INDEX IF NOT EXISTS "users_search_idx" ON users USING gin (handle gin_trgm_ops, display_name gin_trgm_ops);
-- unique index webhook_deliveries.webhook_deliveries_endpoint_id_event_id_key
CREATE UNIQUE INDEX IF NOT EXISTS "webhook_deliveries_endpoint_id_event_id_key" ON webhook_deliveries USING btree (endpoint_id, event_id);
-- index webhook_deliveries.webhook_deliveries_state_next_at_idx
CREATE INDEX IF NOT EXISTS "webhook_deliveries_state_next_at_idx" ON webhook_deliveries USING btree (state, next_at);
-- check audit_head.audit_head_singleton_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"audit_head"'::regclass AND conname = 'audit_head_singleton_check') THEN ALTER TABLE "audit_head" ADD CONSTRAINT "audit_head_singleton_check" CHECK ((id = 1)); END IF; END $parley$;
-- foreign key call_logs.call_logs_conversation_id_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_logs"'::regclass AND conname = 'call_logs_conversation_id_seq_fkey') THEN ALTER TABLE "call_logs" ADD CONSTRAINT "call_logs_conversation_id_seq_fkey" FOREIGN KEY (conversation_id, seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key call_logs.call_logs_initiator_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_logs"'::regclass AND conname = 'call_logs_initiator_id_fkey') THEN ALTER TABLE "call_logs" ADD CONSTRAINT "call_logs_initiator_id_fkey" FOREIGN KEY (initiator_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key call_participants.call_participants_call_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_participants"'::regclass AND conname = 'call_participants_call_id_fkey') THEN ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_call_id_fkey" FOREIGN KEY (call_id) REFERENCES call_logs(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key call_participants.call_participants_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"call_participants"'::regclass AND conname = 'call_participants_user_id_fkey') THEN ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check contacts.contacts_other_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"contacts"'::regclass AND conname = 'contacts_other_check') THEN ALTER TABLE "contacts" ADD CONSTRAINT "contacts_other_check" CHECK ((owner_id <> target_id)); END IF; END $parley$;
-- foreign key contacts.contacts_owner_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"contacts"'::regclass AND conname = 'contacts_owner_id_fkey') THEN ALTER TABLE "contacts" ADD CONSTRAINT "contacts_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key contacts.contacts_target_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"contacts"'::regclass AND conname = 'contacts_target_id_fkey') THEN ALTER TABLE "contacts" ADD CONSTRAINT "contacts_target_id_fkey" FOREIGN KEY (target_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check conversation_head.conversation_head_order_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_head"'::regclass AND conname = 'conversation_head_order_check') THEN ALTER TABLE "conversation_head" ADD CONSTRAINT "conversation_head_order_check" CHECK (((0 <= ord) AND (ord <= seq) AND (0 <= last_delete_seq) AND (last_delete_seq <= seq) AND (0 <= rev))); END IF; END $parley$;
-- foreign key conversation_head.conversation_head_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_head"'::regclass AND conname = 'conversation_head_conversation_id_fkey') THEN ALTER TABLE "conversation_head" ADD CONSTRAINT "conversation_head_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check conversation_invites.conversation_invites_uses_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_invites"'::regclass AND conname = 'conversation_invites_uses_check') THEN ALTER TABLE "conversation_invites" ADD CONSTRAINT "conversation_invites_uses_check" CHECK (((0 <= uses) AND ((max_uses IS NULL) OR (uses <= max_uses)))); END IF; END $parley$;
-- foreign key conversation_invites.conversation_invites_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversation_invites"'::regclass AND conname = 'conversation_invites_conversation_id_fkey') THEN ALTER TABLE "conversation_invites" ADD CONSTRAINT "conversation_invites_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check conversations.conversations_direct_key_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversations"'::regclass AND conname = 'conversations_direct_key_check') THEN ALTER TABLE "conversations" ADD CONSTRAINT "conversations_direct_key_check" CHECK (((type = 'direct'::conversation_type) = (direct_key IS NOT NULL))); END IF; END $parley$;
-- foreign key conversations.conversations_avatar_media_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"conversations"'::regclass AND conname = 'conversations_avatar_media_id_fkey') THEN ALTER TABLE "conversations" ADD CONSTRAINT "conversations_avatar_media_id_fkey" FOREIGN KEY (avatar_media_id) REFERENCES media_objects(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key data_exports.data_exports_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"data_exports"'::regclass AND conname = 'data_exports_user_id_fkey') THEN ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key drafts.drafts_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"drafts"'::regclass AND conname = 'drafts_conversation_id_fkey') THEN ALTER TABLE "drafts" ADD CONSTRAINT "drafts_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key drafts.drafts_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"drafts"'::regclass AND conname = 'drafts_user_id_fkey') THEN ALTER TABLE "drafts" ADD CONSTRAINT "drafts_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key media_objects.media_objects_owner_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"media_objects"'::regclass AND conname = 'media_objects_owner_id_fkey') THEN ALTER TABLE "media_objects" ADD CONSTRAINT "media_objects_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key media_variants.media_variants_media_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"media_variants"'::regclass AND conname = 'media_variants_media_id_fkey') THEN ALTER TABLE "media_variants" ADD CONSTRAINT "media_variants_media_id_fkey" FOREIGN KEY (media_id) REFERENCES media_objects(id) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- check memberships.memberships_watermarks_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"memberships"'::regclass AND conname = 'memberships_watermarks_check') THEN ALTER TABLE "memberships" ADD CONSTRAINT "memberships_watermarks_check" CHECK (((0 <= read_seq) AND (read_seq <= delivered_seq) AND (0 <= read_ord) AND (read_ord <= read_seq))); END IF; END $parley$;
-- foreign key memberships.memberships_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"memberships"'::regclass AND conname = 'memberships_conversation_id_fkey') THEN ALTER TABLE "memberships" ADD CONSTRAINT "memberships_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key memberships.memberships_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"memberships"'::regclass AND conname = 'memberships_user_id_fkey') THEN ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_attachments.message_attachments_conversation_id_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_attachments"'::regclass AND conname = 'message_attachments_conversation_id_seq_fkey') THEN ALTER TABLE "message_attachments" ADD CONSTRAINT "message_attachments_conversation_id_seq_fkey" FOREIGN KEY (conversation_id, seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_attachments.message_attachments_media_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_attachments"'::regclass AND conname = 'message_attachments_media_id_fkey') THEN ALTER TABLE "message_attachments" ADD CONSTRAINT "message_attachments_media_id_fkey" FOREIGN KEY (media_id) REFERENCES media_objects(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_mentions.message_mentions_conversation_id_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_mentions"'::regclass AND conname = 'message_mentions_conversation_id_seq_fkey') THEN ALTER TABLE "message_mentions" ADD CONSTRAINT "message_mentions_conversation_id_seq_fkey" FOREIGN KEY (conversation_id, seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_mentions.message_mentions_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_mentions"'::regclass AND conname = 'message_mentions_user_id_fkey') THEN ALTER TABLE "message_mentions" ADD CONSTRAINT "message_mentions_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_reactions.message_reactions_conversation_id_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_reactions"'::regclass AND conname = 'message_reactions_conversation_id_seq_fkey') THEN ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_conversation_id_seq_fkey" FOREIGN KEY (conversation_id, seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_reactions.message_reactions_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_reactions"'::regclass AND conname = 'message_reactions_user_id_fkey') THEN ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key message_search.message_search_conversation_id_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"message_search"'::regclass AND conname = 'message_search_conversation_id_seq_fkey') THEN ALTER TABLE "message_search" ADD CONSTRAINT "message_search_conversation_id_seq_fkey" FOREIGN KEY (conversation_id, seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check messages.messages_tombstone_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"messages"'::regclass AND conname = 'messages_tombstone_check') THEN ALTER TABLE "messages" ADD CONSTRAINT "messages_tombstone_check" CHECK (((deleted_at IS NULL) OR ((COALESCE(body, ''::text) = ''::text) AND (meta IS NULL)))); END IF; END $parley$;
-- foreign key messages.messages_thread_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"messages"'::regclass AND conname = 'messages_thread_id_fkey') THEN ALTER TABLE "messages" ADD CONSTRAINT "messages_thread_id_fkey" FOREIGN KEY (thread_id) REFERENCES threads(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key notifications.notifications_actor_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"notifications"'::regclass AND conname = 'notifications_actor_id_fkey') THEN ALTER TABLE "notifications" ADD CONSTRAINT "notifications_actor_id_fkey" FOREIGN KEY (actor_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key notifications.notifications_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"notifications"'::regclass AND conname = 'notifications_conversation_id_fkey') THEN ALTER TABLE "notifications" ADD CONSTRAINT "notifications_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key notifications.notifications_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"notifications"'::regclass AND conname = 'notifications_user_id_fkey') THEN ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key presence_state.presence_state_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"presence_state"'::regclass AND conname = 'presence_state_user_id_fkey') THEN ALTER TABLE "presence_state" ADD CONSTRAINT "presence_state_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key push_devices.push_devices_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"push_devices"'::regclass AND conname = 'push_devices_user_id_fkey') THEN ALTER TABLE "push_devices" ADD CONSTRAINT "push_devices_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key recent_activity.recent_activity_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"recent_activity"'::regclass AND conname = 'recent_activity_user_id_fkey') THEN ALTER TABLE "recent_activity" ADD CONSTRAINT "recent_activity_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key refresh_tokens.refresh_tokens_session_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"refresh_tokens"'::regclass AND conname = 'refresh_tokens_session_id_fkey') THEN ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY (session_id) REFERENCES user_sessions(id) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- check reports.reports_target_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"reports"'::regclass AND conname = 'reports_target_check') THEN ALTER TABLE "reports" ADD CONSTRAINT "reports_target_check" CHECK ((num_nonnulls(message_id, user_id) = 1)); END IF; END $parley$;
-- foreign key reports.reports_message_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"reports"'::regclass AND conname = 'reports_message_id_fkey') THEN ALTER TABLE "reports" ADD CONSTRAINT "reports_message_id_fkey" FOREIGN KEY (message_id) REFERENCES messages(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key reports.reports_reporter_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"reports"'::regclass AND conname = 'reports_reporter_id_fkey') THEN ALTER TABLE "reports" ADD CONSTRAINT "reports_reporter_id_fkey" FOREIGN KEY (reporter_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key reports.reports_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"reports"'::regclass AND conname = 'reports_user_id_fkey') THEN ALTER TABLE "reports" ADD CONSTRAINT "reports_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key role_permissions.role_permissions_permission_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"role_permissions"'::regclass AND conname = 'role_permissions_permission_fkey') THEN ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_permission_fkey" FOREIGN KEY (permission) REFERENCES permissions(name) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- foreign key role_permissions.role_permissions_role_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"role_permissions"'::regclass AND conname = 'role_permissions_role_id_fkey') THEN ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_role_id_fkey" FOREIGN KEY (role_id) REFERENCES roles(id) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- foreign key scheduled_messages.scheduled_messages_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"scheduled_messages"'::regclass AND conname = 'scheduled_messages_conversation_id_fkey') THEN ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key scheduled_messages.scheduled_messages_message_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"scheduled_messages"'::regclass AND conname = 'scheduled_messages_message_id_fkey') THEN ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_message_id_fkey" FOREIGN KEY (message_id) REFERENCES messages(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key scheduled_messages.scheduled_messages_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"scheduled_messages"'::regclass AND conname = 'scheduled_messages_user_id_fkey') THEN ALTER TABLE "scheduled_messages" ADD CONSTRAINT "scheduled_messages_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check server_epoch.server_epoch_singleton_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"server_epoch"'::regclass AND conname = 'server_epoch_singleton_check') THEN ALTER TABLE "server_epoch" ADD CONSTRAINT "server_epoch_singleton_check" CHECK ((id = 1)); END IF; END $parley$;
-- check setup_tokens.setup_tokens_singleton_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"setup_tokens"'::regclass AND conname = 'setup_tokens_singleton_check') THEN ALTER TABLE "setup_tokens" ADD CONSTRAINT "setup_tokens_singleton_check" CHECK ((id = 1)); END IF; END $parley$;
-- check system_health_config.system_health_config_singleton_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"system_health_config"'::regclass AND conname = 'system_health_config_singleton_check') THEN ALTER TABLE "system_health_config" ADD CONSTRAINT "system_health_config_singleton_check" CHECK ((id = 1)); END IF; END $parley$;
-- foreign key thread_members.thread_members_thread_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"thread_members"'::regclass AND conname = 'thread_members_thread_id_fkey') THEN ALTER TABLE "thread_members" ADD CONSTRAINT "thread_members_thread_id_fkey" FOREIGN KEY (thread_id) REFERENCES threads(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key thread_members.thread_members_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"thread_members"'::regclass AND conname = 'thread_members_user_id_fkey') THEN ALTER TABLE "thread_members" ADD CONSTRAINT "thread_members_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key threads.threads_conversation_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"threads"'::regclass AND conname = 'threads_conversation_id_fkey') THEN ALTER TABLE "threads" ADD CONSTRAINT "threads_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES conversations(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key threads.threads_conversation_id_root_seq_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"threads"'::regclass AND conname = 'threads_conversation_id_root_seq_fkey') THEN ALTER TABLE "threads" ADD CONSTRAINT "threads_conversation_id_root_seq_fkey" FOREIGN KEY (conversation_id, root_seq) REFERENCES messages(conversation_id, seq) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- check user_blocks.user_blocks_other_check
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_blocks"'::regclass AND conname = 'user_blocks_other_check') THEN ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_other_check" CHECK ((owner_id <> target_id)); END IF; END $parley$;
-- foreign key user_blocks.user_blocks_owner_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_blocks"'::regclass AND conname = 'user_blocks_owner_id_fkey') THEN ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_blocks.user_blocks_target_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_blocks"'::regclass AND conname = 'user_blocks_target_id_fkey') THEN ALTER TABLE "user_blocks" ADD CONSTRAINT "user_blocks_target_id_fkey" FOREIGN KEY (target_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_head.user_head_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_head"'::regclass AND conname = 'user_head_user_id_fkey') THEN ALTER TABLE "user_head" ADD CONSTRAINT "user_head_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_identities.user_identities_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_identities"'::regclass AND conname = 'user_identities_user_id_fkey') THEN ALTER TABLE "user_identities" ADD CONSTRAINT "user_identities_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_permissions.user_permissions_permission_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_permissions"'::regclass AND conname = 'user_permissions_permission_fkey') THEN ALTER TABLE "user_permissions" ADD CONSTRAINT "user_permissions_permission_fkey" FOREIGN KEY (permission) REFERENCES permissions(name) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- foreign key user_permissions.user_permissions_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_permissions"'::regclass AND conname = 'user_permissions_user_id_fkey') THEN ALTER TABLE "user_permissions" ADD CONSTRAINT "user_permissions_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_preferences.user_preferences_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_preferences"'::regclass AND conname = 'user_preferences_user_id_fkey') THEN ALTER TABLE "user_preferences" ADD CONSTRAINT "user_preferences_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_roles.user_roles_role_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_roles"'::regclass AND conname = 'user_roles_role_id_fkey') THEN ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_role_id_fkey" FOREIGN KEY (role_id) REFERENCES roles(id) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- foreign key user_roles.user_roles_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_roles"'::regclass AND conname = 'user_roles_user_id_fkey') THEN ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key user_sessions.user_sessions_user_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"user_sessions"'::regclass AND conname = 'user_sessions_user_id_fkey') THEN ALTER TABLE "user_sessions" ADD CONSTRAINT "user_sessions_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE RESTRICT; END IF; END $parley$;
-- foreign key users.users_avatar_media_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"users"'::regclass AND conname = 'users_avatar_media_id_fkey') THEN ALTER TABLE "users" ADD CONSTRAINT "users_avatar_media_id_fkey" FOREIGN KEY (avatar_media_id) REFERENCES media_objects(id) ON UPDATE CASCADE ON DELETE SET NULL; END IF; END $parley$;
-- foreign key webhook_deliveries.webhook_deliveries_endpoint_id_fkey
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"webhook_deliveries"'::regclass AND conname = 'webhook_deliveries_endpoint_id_fkey') THEN ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_fkey" FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(id) ON UPDATE CASCADE ON DELETE CASCADE; END IF; END $parley$;
-- view migration_history
CREATE OR REPLACE VIEW migration_history AS  SELECT name,
    checksum,
    started_at,
    finished_at,
    rolled_back_at,
    steps,
    logs,
        CASE
            WHEN (rolled_back_at IS NOT NULL) THEN 'rolled_back'::text
            WHEN (finished_at IS NULL) THEN 'failed'::text
            ELSE 'applied'::text
        END AS state
   FROM migration_history_rows() migration_history_rows(name, checksum, started_at, finished_at, rolled_back_at, steps, logs);
-- trigger audit_logs.audit_logs_append_only
DO $parley$ BEGIN IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"audit_logs"'::regclass AND tgname = 'audit_logs_append_only') THEN CREATE TRIGGER audit_logs_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_refuse_change(); END IF; END $parley$;

SET session_replication_role = replica;
TRUNCATE lifecycle.meta;
INSERT INTO lifecycle.meta (singleton, format, min_epoch, updated_at) OVERRIDING SYSTEM VALUE SELECT singleton, format, min_epoch, updated_at
FROM json_populate_recordset(NULL::lifecycle.meta, $rows$[{"singleton":true,"format":1,"min_epoch":0,"updated_at":"2026-11-21T20:04:33.499171+00:00"}]$rows$);
INSERT INTO lifecycle.seed_history (name, version, checksum, kind, applied_at, app_version, duration_ms, history_id) OVERRIDING SYSTEM VALUE SELECT name, version, checksum, kind, applied_at, app_version, duration_ms, history_id
FROM json_populate_recordset(NULL::lifecycle.seed_history, $rows$[{"name":"010_server_epoch","version":1,"checksum":"d6805834d3546cdf34ac7525a3bb26027543d4200b372ffb6fcdd027aa458ffa","kind":"once","applied_at":"2026-11-21T20:04:35.516364+00:00","app_version":"0.1.0","duration_ms":19,"history_id":"ceb415f3-52bf-4388-9e77-a4fca3ee8707"},
{"name":"020_system_health_config","version":1,"checksum":"d5521a8df573baade5d460757b20812fb53b3a39865cd1f4a39506f7b8a09e4c","kind":"once","applied_at":"2026-11-21T20:04:35.542344+00:00","app_version":"0.1.0","duration_ms":17,"history_id":"ceb415f3-52bf-4388-9e77-a4fca3ee8707"},
{"name":"030_permissions","version":1,"checksum":"9cfdfcfde6fc624f5e22e57451e762d68bf3434378f8d992cad2cfc1d5bc74fb","kind":"repeatable","applied_at":"2026-11-21T20:04:35.565612+00:00","app_version":"0.1.0","duration_ms":12,"history_id":"ceb415f3-52bf-4388-9e77-a4fca3ee8707"},
{"name":"040_roles","version":1,"checksum":"520f05051af8add64f9b6133c433c164db9644c102dc269745e19ef367d185bc","kind":"repeatable","applied_at":"2026-11-21T20:04:35.601677+00:00","app_version":"0.1.0","duration_ms":19,"history_id":"ceb415f3-52bf-4388-9e77-a4fca3ee8707"}]$rows$);
INSERT INTO public._prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count) OVERRIDING SYSTEM VALUE SELECT id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count
FROM json_populate_recordset(NULL::public._prisma_migrations, $rows$[{"id":"0999e4fc-b0dc-4103-88de-017c07d3106f","checksum":"6bfee66e265eec4c210bf233c481c126489aa72369deea63027dc678a8264efd","finished_at":"2026-11-21T20:04:35.412714+00:00","migration_name":"20261121163400_reach","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.404408+00:00","applied_steps_count":1},
{"id":"18b54fc9-cbfb-4d2c-abb9-cfee33adcc56","checksum":"bd603451182cad30bdcdfba465e6c7079a32675ac7f2b3b8c37f06ce230dfae7","finished_at":"2026-11-21T20:04:35.466982+00:00","migration_name":"20261121174300_activity_and_joint_plans","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.436255+00:00","applied_steps_count":1},
{"id":"2ebbda18-ec69-4f74-89fa-8cb926eaf461","checksum":"f6cba8c861f5009ad68bdb09f718dbbb533c3b44b370f616eec103d0be9b47d9","finished_at":"2026-11-21T20:04:34.39791+00:00","migration_name":"20261121000300_conversations","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:34.148274+00:00","applied_steps_count":1},
{"id":"645dc631-425f-42a5-af37-928379e9813f","checksum":"ceaee6f2fe1bba06e2c0bdb687941d0847f9550abc57c8eb428347744b9f9500","finished_at":"2026-11-21T20:04:34.859013+00:00","migration_name":"20261121000600_presence","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:34.802698+00:00","applied_steps_count":1},
{"id":"7062aaa7-10c2-411f-b4b5-184740c06ebd","checksum":"b3e5a3293cd258f725c79d01a3c69efd53d18af1c68e12f86602a2c1115d190f","finished_at":"2026-11-21T20:04:35.401451+00:00","migration_name":"20261121163200_access","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.361503+00:00","applied_steps_count":1},
{"id":"8bbfa713-9f5f-4932-a249-8ef78a1e879a","checksum":"0cef55c1cedb59a2f76b6aaac15333639c31481e37411724f751119127b8c425","finished_at":"2026-11-21T20:04:34.128863+00:00","migration_name":"20261121000200_users","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:33.782985+00:00","applied_steps_count":1},
{"id":"b214f769-5735-4735-b75a-4b30a5291a69","checksum":"67282d0eeabbdb96afeca52b68bc371e426f515c4c17b28724746c15fc26f4d9","finished_at":"2026-11-21T20:04:34.789313+00:00","migration_name":"20261121000500_messages","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:34.502236+00:00","applied_steps_count":1},
{"id":"bcf34806-cf0a-4144-99ee-75d3b9a8f35a","checksum":"4921086dec89cc5ad8cb78fd083479ed0c5c2ef36f90db687e6ccf6cdf7f93fe","finished_at":"2026-11-21T20:04:35.235463+00:00","migration_name":"20261121000800_administration","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.051861+00:00","applied_steps_count":1},
{"id":"bdb6d271-f941-479d-af05-2c1306f8bc3c","checksum":"ee26f07a8087fe1ebfc951a90ce66f0972d307a5d1a524da55249d1b9f1ccd84","finished_at":"2026-11-21T20:04:35.356762+00:00","migration_name":"20261121000900_operations","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.242389+00:00","applied_steps_count":1},
{"id":"cbc3dc4f-6b08-4d8e-8123-6ac5d3ead2cf","checksum":"fdcf9a4ca14a3904c81ceba77bead80962f233af8f8724d5991cac21bb37ba06","finished_at":"2026-11-21T20:04:34.500453+00:00","migration_name":"20261121000400_media","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:34.409086+00:00","applied_steps_count":1},
{"id":"cd0ce488-f68d-4311-bd92-106a4913955d","checksum":"43542d62d15120924ad2b042ef35553281b8c6bb67e86a4f0ae325782730f096","finished_at":"2026-11-21T20:04:35.044584+00:00","migration_name":"20261121000700_notifications","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:34.865342+00:00","applied_steps_count":1},
{"id":"ceb415f3-52bf-4388-9e77-a4fca3ee8707","checksum":"c6ff7b0a78425b0eef8bfe44cf787f73c5d06e9f585a9d1f09261c6d72a282ea","finished_at":"2026-11-21T20:04:33.772385+00:00","migration_name":"20261121000100_platform","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:33.499171+00:00","applied_steps_count":1},
{"id":"d851bb45-b95c-4b2b-b59b-b607bf8e6a39","checksum":"09e37655640fc95bdc27a4cd1aa95d45ccf19de4fb02d0779532b0e28fc02b8d","finished_at":"2026-11-21T20:04:35.427575+00:00","migration_name":"20261121171200_joint_sends","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.419559+00:00","applied_steps_count":1},
{"id":"f40cf01e-ff6d-4084-b2e4-8b606ed0baeb","checksum":"d914d50ad249698463446f0c558c8c1f6eab6c796c92de0888bfd6bf0243a3db","finished_at":"2026-11-21T20:04:35.481243+00:00","migration_name":"20261121194000_upload_parts","logs":null,"rolled_back_at":null,"started_at":"2026-11-21T20:04:35.472869+00:00","applied_steps_count":1}]$rows$);
INSERT INTO public.conversation_head (conversation_id, seq, ord, rev, last_delete_seq, updated_xid, active_at) OVERRIDING SYSTEM VALUE SELECT conversation_id, seq, ord, rev, last_delete_seq, updated_xid, active_at
FROM json_populate_recordset(NULL::public.conversation_head, $rows$[{"conversation_id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","seq":1,"ord":1,"rev":4,"last_delete_seq":0,"updated_xid":"807","active_at":"2026-11-21T20:04:39.709+00:00"}]$rows$);
INSERT INTO public.conversations (id, type, direct_key, title, description, avatar_media_id, visibility, settings, created_by, rev, created_at, updated_at, deleted_at) OVERRIDING SYSTEM VALUE SELECT id, type, direct_key, title, description, avatar_media_id, visibility, settings, created_by, rev, created_at, updated_at, deleted_at
FROM json_populate_recordset(NULL::public.conversations, $rows$[{"id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","type":"direct","direct_key":"01a1ffb5-f846-7cf8-81c0-a8417848b739:01a1ffb5-f99f-7024-9dcf-a98c223541fe","title":null,"description":null,"avatar_media_id":null,"visibility":"private","settings":{"whoCanPin": "member", "whoCanPost": "member", "slowModeSec": 0, "whoCanInvite": "member", "whoCanMentionAll": "member", "historyForNewMembers": "all"},"created_by":"01a1ffb5-f846-7cf8-81c0-a8417848b739","rev":1,"created_at":"2026-11-21T20:04:39.49+00:00","updated_at":"2026-11-21T20:04:39.49+00:00","deleted_at":null}]$rows$);
INSERT INTO public.memberships (conversation_id, user_id, rev, user_rev, role, state, visible_from_seq, delivered_seq, read_seq, read_ord, foreground_seq, notify_level, muted_until, pinned_at, archived_at, marked_unread, invited_by, joined_at, left_at) OVERRIDING SYSTEM VALUE SELECT conversation_id, user_id, rev, user_rev, role, state, visible_from_seq, delivered_seq, read_seq, read_ord, foreground_seq, notify_level, muted_until, pinned_at, archived_at, marked_unread, invited_by, joined_at, left_at
FROM json_populate_recordset(NULL::public.memberships, $rows$[{"conversation_id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","user_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","rev":2,"user_rev":2,"role":"member","state":"active","visible_from_seq":1,"delivered_seq":1,"read_seq":1,"read_ord":1,"foreground_seq":0,"notify_level":"default","muted_until":null,"pinned_at":null,"archived_at":null,"marked_unread":false,"invited_by":"01a1ffb5-f846-7cf8-81c0-a8417848b739","joined_at":"2026-11-21T20:04:39.49+00:00","left_at":null},
{"conversation_id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","user_id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","rev":3,"user_rev":2,"role":"member","state":"active","visible_from_seq":1,"delivered_seq":0,"read_seq":0,"read_ord":0,"foreground_seq":0,"notify_level":"default","muted_until":null,"pinned_at":null,"archived_at":null,"marked_unread":false,"invited_by":"01a1ffb5-f846-7cf8-81c0-a8417848b739","joined_at":"2026-11-21T20:04:39.49+00:00","left_at":null}]$rows$);
INSERT INTO public.message_search (conversation_id, seq, sender_id, kind, created_at, body, tsv) OVERRIDING SYSTEM VALUE SELECT conversation_id, seq, sender_id, kind, created_at, body, tsv
FROM json_populate_recordset(NULL::public.message_search, $rows$[{"conversation_id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","seq":1,"sender_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","kind":"text","created_at":"2026-11-21T20:04:39.709+00:00","body":"Hello Ben!","tsv":"'ben':2 'hello':1"}]$rows$);
INSERT INTO public.messages (conversation_id, seq, id, rev, ord, sender_id, client_id, payload_hash, kind, body, meta, mentions, mention_all, reply_to_seq, thread_id, forwarded_from, silent, counts, pinned_at, pinned_by, created_at, edited_at, deleted_at, deleted_by) OVERRIDING SYSTEM VALUE SELECT conversation_id, seq, id, rev, ord, sender_id, client_id, payload_hash, kind, body, meta, mentions, mention_all, reply_to_seq, thread_id, forwarded_from, silent, counts, pinned_at, pinned_by, created_at, edited_at, deleted_at, deleted_by
FROM json_populate_recordset(NULL::public.messages, $rows$[{"conversation_id":"01a1ffb5-fdbe-74c3-9373-b305174c8654","seq":1,"id":"01a1ffb5-fe85-7eb5-aff8-a610ae3be9a1","rev":4,"ord":1,"sender_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","client_id":"804a1a1d-06af-440f-b216-52deac2a6954","payload_hash":"F3JN4kxr3kJt7JZflcjQ7NCvvuIZ6PUgt9SpOrfa0t4","kind":"text","body":"Hello Ben!","meta":null,"mentions":[],"mention_all":false,"reply_to_seq":null,"thread_id":null,"forwarded_from":null,"silent":false,"counts":true,"pinned_at":null,"pinned_by":null,"created_at":"2026-11-21T20:04:39.709+00:00","edited_at":null,"deleted_at":null,"deleted_by":null}]$rows$);
INSERT INTO public.permissions (name, description) OVERRIDING SYSTEM VALUE SELECT name, description
FROM json_populate_recordset(NULL::public.permissions, $rows$[{"name":"audit.read","description":"Read and verify the audit log"},
{"name":"conversations.moderate","description":"Delete conversations and remove members"},
{"name":"conversations.read","description":"See conversations, members and positions, without message bodies"},
{"name":"health.read","description":"See health, metrics, samples and alerts"},
{"name":"health.write","description":"Change system health settings and store load-test reports"},
{"name":"jobs.run","description":"Start jobs by hand"},
{"name":"media.moderate","description":"Quarantine and delete media"},
{"name":"messages.moderate","description":"Delete messages of others"},
{"name":"notifications.explain","description":"See why a device of another user rang or did not"},
{"name":"queues.read","description":"See queues and dead letters"},
{"name":"queues.replay","description":"Replay and drop dead letters and notifications"},
{"name":"reports.read","description":"See reports"},
{"name":"reports.resolve","description":"Resolve and dismiss reports"},
{"name":"roles.read","description":"See roles, permissions and who holds them"},
{"name":"roles.write","description":"Define roles and grant them"},
{"name":"sessions.revoke","description":"Sign other people out"},
{"name":"users.delete","description":"Delete and erase accounts"},
{"name":"users.read","description":"See accounts, their sign-ins and their state"},
{"name":"users.write","description":"Create, change, suspend and unsuspend accounts"},
{"name":"webhooks.read","description":"See webhook endpoints and deliveries"},
{"name":"webhooks.write","description":"Define webhook endpoints and replay deliveries"}]$rows$);
INSERT INTO public.presence_state (user_id, is_online, last_seen_at, mode, ver) OVERRIDING SYSTEM VALUE SELECT user_id, is_online, last_seen_at, mode, ver
FROM json_populate_recordset(NULL::public.presence_state, $rows$[{"user_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","is_online":false,"last_seen_at":"2026-11-21T20:04:39.818+00:00","mode":"auto","ver":2},
{"user_id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","is_online":false,"last_seen_at":"2026-11-21T20:04:39.836+00:00","mode":"auto","ver":2}]$rows$);
INSERT INTO public.recent_activity (id, user_id, kind, session_id, ip_hash, at) OVERRIDING SYSTEM VALUE SELECT id, user_id, kind, session_id, ip_hash, at
FROM json_populate_recordset(NULL::public.recent_activity, $rows$[{"id":"01a1ffb5-f8b3-717a-939e-1493ce082a60","user_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","kind":"registered","session_id":"01a1ffb5-f87b-7f1f-8b55-3291951a4fdd","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","at":"2026-11-21T20:04:38.064+00:00"},
{"id":"01a1ffb5-f9b5-7bba-bac4-db2d128659da","user_id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","kind":"registered","session_id":"01a1ffb5-f9b0-755d-a73b-8e6c3d0d32d6","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","at":"2026-11-21T20:04:38.431+00:00"},
{"id":"01a1ffb5-fcfc-7720-98e6-dc04c6cf2042","user_id":"01a1ffb5-faff-7b3c-9e4d-d3c995cd8743","kind":"registered","session_id":"01a1ffb5-fc04-7a10-afc6-0008178812e7","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","at":"2026-11-21T20:04:38.72+00:00"}]$rows$);
INSERT INTO public.refresh_tokens (id, session_id, token_hash, issued_at, expires_at, rotated_at, successor_id) OVERRIDING SYSTEM VALUE SELECT id, session_id, token_hash, issued_at, expires_at, rotated_at, successor_id
FROM json_populate_recordset(NULL::public.refresh_tokens, $rows$[{"id":"01a1ffb5-f8a7-7319-956f-68105e96c21c","session_id":"01a1ffb5-f87b-7f1f-8b55-3291951a4fdd","token_hash":"K6YLUnjX9zvIcDSxsu2C1f8Fxjpb3gnCqcvRc8eXKjQ","issued_at":"2026-11-21T20:04:38.064+00:00","expires_at":"2026-12-21T20:04:38.064+00:00","rotated_at":null,"successor_id":null},
{"id":"01a1ffb5-f9b3-73da-b7f4-0202322b419a","session_id":"01a1ffb5-f9b0-755d-a73b-8e6c3d0d32d6","token_hash":"1qUnJk6N1LPw2hcOCTq4p0wP6miti1JyDN-jqVlLvgA","issued_at":"2026-11-21T20:04:38.431+00:00","expires_at":"2026-12-21T20:04:38.431+00:00","rotated_at":null,"successor_id":null},
{"id":"01a1ffb5-fce2-735c-965a-44f0a61a7cc4","session_id":"01a1ffb5-fc04-7a10-afc6-0008178812e7","token_hash":"AE0Q5-XUhKuE3RtMqsiQKJeDEO_z6__3jQeG3q6lPXE","issued_at":"2026-11-21T20:04:38.72+00:00","expires_at":"2026-12-21T20:04:38.72+00:00","rotated_at":null,"successor_id":null}]$rows$);
INSERT INTO public.role_permissions (role_id, permission) OVERRIDING SYSTEM VALUE SELECT role_id, permission
FROM json_populate_recordset(NULL::public.role_permissions, $rows$[{"role_id":"01900000-0000-7000-8000-000000000002","permission":"conversations.read"},
{"role_id":"01900000-0000-7000-8000-000000000002","permission":"media.moderate"},
{"role_id":"01900000-0000-7000-8000-000000000002","permission":"messages.moderate"},
{"role_id":"01900000-0000-7000-8000-000000000002","permission":"reports.read"},
{"role_id":"01900000-0000-7000-8000-000000000002","permission":"reports.resolve"},
{"role_id":"01900000-0000-7000-8000-000000000002","permission":"users.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"audit.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"conversations.moderate"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"conversations.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"health.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"health.write"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"jobs.run"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"media.moderate"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"messages.moderate"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"notifications.explain"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"queues.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"queues.replay"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"reports.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"reports.resolve"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"roles.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"roles.write"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"sessions.revoke"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"users.delete"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"users.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"users.write"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"webhooks.read"},
{"role_id":"01900000-0000-7000-8000-000000000003","permission":"webhooks.write"}]$rows$);
INSERT INTO public.roles (id, name, description, built_in) OVERRIDING SYSTEM VALUE SELECT id, name, description, built_in
FROM json_populate_recordset(NULL::public.roles, $rows$[{"id":"01900000-0000-7000-8000-000000000001","name":"user","description":"Everyone","built_in":true},
{"id":"01900000-0000-7000-8000-000000000002","name":"moderator","description":"Keeps conversations civil","built_in":true},
{"id":"01900000-0000-7000-8000-000000000003","name":"admin","description":"May do everything","built_in":true}]$rows$);
INSERT INTO public.server_epoch (id, epoch, reason, changed_at) OVERRIDING SYSTEM VALUE SELECT id, epoch, reason, changed_at
FROM json_populate_recordset(NULL::public.server_epoch, $rows$[{"id":1,"epoch":"328d3ecb-ed02-426f-835e-947b31680493","reason":"installed","changed_at":"2026-11-21T20:04:35.492+00:00"}]$rows$);
INSERT INTO public.system_health_config (id, thresholds, "backupLocation", "refreshInterval", "metricsRetentionDays", "aggregateRetentionDays", updated_at) OVERRIDING SYSTEM VALUE SELECT id, thresholds, "backupLocation", "refreshInterval", "metricsRetentionDays", "aggregateRetentionDays", updated_at
FROM json_populate_recordset(NULL::public.system_health_config, $rows$[{"id":1,"thresholds":{"latency": {"warning": 500, "critical": 1000}, "cpuUsage": {"warning": 70, "critical": 85}, "errorRate": {"warning": 1, "critical": 5}, "p95Latency": {"warning": 800, "critical": 1500}, "memoryUsage": {"warning": 80, "critical": 90}, "slowQueries": {"warning": 100, "critical": 200}, "cacheHitRate": {"warning": 70, "critical": 50}},"backupLocation":"/backups/railway","refreshInterval":30000,"metricsRetentionDays":7,"aggregateRetentionDays":365,"updated_at":"2026-11-21T20:04:35.52593"}]$rows$);
INSERT INTO public.user_head (user_id, rev) OVERRIDING SYSTEM VALUE SELECT user_id, rev
FROM json_populate_recordset(NULL::public.user_head, $rows$[{"user_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","rev":2},
{"user_id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","rev":2},
{"user_id":"01a1ffb5-faff-7b3c-9e4d-d3c995cd8743","rev":1}]$rows$);
INSERT INTO public.user_sessions (id, user_id, kind, issuer, device_id, name, platform, ip_hash, user_agent, created_at, last_used_at, expires_at, revoked_at, revoke_reason) OVERRIDING SYSTEM VALUE SELECT id, user_id, kind, issuer, device_id, name, platform, ip_hash, user_agent, created_at, last_used_at, expires_at, revoked_at, revoke_reason
FROM json_populate_recordset(NULL::public.user_sessions, $rows$[{"id":"01a1ffb5-f87b-7f1f-8b55-3291951a4fdd","user_id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","kind":"builtin","issuer":null,"device_id":"01a1ffb5-f87b-780f-88b3-a7d3c60fd728","name":null,"platform":"other","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","user_agent":"node","created_at":"2026-11-21T20:04:38.064+00:00","last_used_at":"2026-11-21T20:04:38.064+00:00","expires_at":"2026-12-21T20:04:38.064+00:00","revoked_at":null,"revoke_reason":null},
{"id":"01a1ffb5-f9b0-755d-a73b-8e6c3d0d32d6","user_id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","kind":"builtin","issuer":null,"device_id":"01a1ffb5-f9b0-7551-bcfe-5cf7ea709b3f","name":null,"platform":"other","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","user_agent":"node","created_at":"2026-11-21T20:04:38.431+00:00","last_used_at":"2026-11-21T20:04:38.431+00:00","expires_at":"2026-12-21T20:04:38.431+00:00","revoked_at":null,"revoke_reason":null},
{"id":"01a1ffb5-fc04-7a10-afc6-0008178812e7","user_id":"01a1ffb5-faff-7b3c-9e4d-d3c995cd8743","kind":"builtin","issuer":null,"device_id":"01a1ffb5-fc04-7df7-b88f-d0912b7af545","name":null,"platform":"other","ip_hash":"CpDDX0OrTdJicJR2Hsghp9","user_agent":"node","created_at":"2026-11-21T20:04:38.72+00:00","last_used_at":"2026-11-21T20:04:38.72+00:00","expires_at":"2026-12-21T20:04:38.72+00:00","revoked_at":null,"revoke_reason":null}]$rows$);
INSERT INTO public.users (id, handle, display_name, bio, avatar_media_id, email, phone, email_verified_at, phone_verified_at, password, locale, time_zone, state, suspended_until, suspend_reason, deleted_at, erase_after, erased_at, last_login_at, rev, created_at, updated_at) OVERRIDING SYSTEM VALUE SELECT id, handle, display_name, bio, avatar_media_id, email, phone, email_verified_at, phone_verified_at, password, locale, time_zone, state, suspended_until, suspend_reason, deleted_at, erase_after, erased_at, last_login_at, rev, created_at, updated_at
FROM json_populate_recordset(NULL::public.users, $rows$[{"id":"01a1ffb5-f846-7cf8-81c0-a8417848b739","handle":null,"display_name":"Ada","bio":null,"avatar_media_id":null,"email":"ada-1bf5b0d1@example.com","phone":null,"email_verified_at":null,"phone_verified_at":null,"password":"$argon2id$v=19$m=19456,t=2,p=1$xVo72DvDU8y2CnMMMaxjBg$jjV3O7qkNqVpKS45R8adx2xmT/n81Qv+zJR0YBkbpEw","locale":"en","time_zone":"UTC","state":"active","suspended_until":null,"suspend_reason":null,"deleted_at":null,"erase_after":null,"erased_at":null,"last_login_at":"2026-11-21T20:04:38.064+00:00","rev":1,"created_at":"2026-11-21T20:04:38.064+00:00","updated_at":"2026-11-21T20:04:38.064+00:00"},
{"id":"01a1ffb5-f99f-7024-9dcf-a98c223541fe","handle":null,"display_name":"Ben","bio":null,"avatar_media_id":null,"email":"ben-3957015a@example.com","phone":null,"email_verified_at":null,"phone_verified_at":null,"password":"$argon2id$v=19$m=19456,t=2,p=1$+mUJEGreVz42zkiVz4h23Q$zOcXqL5uI11AB/9Pgs0t930rfRTS2HzikbrV4O2onyw","locale":"en","time_zone":"UTC","state":"active","suspended_until":null,"suspend_reason":null,"deleted_at":null,"erase_after":null,"erased_at":null,"last_login_at":"2026-11-21T20:04:38.431+00:00","rev":1,"created_at":"2026-11-21T20:04:38.431+00:00","updated_at":"2026-11-21T20:04:38.431+00:00"},
{"id":"01a1ffb5-faff-7b3c-9e4d-d3c995cd8743","handle":null,"display_name":"Eve","bio":null,"avatar_media_id":null,"email":"eve-b8151073@example.com","phone":null,"email_verified_at":null,"phone_verified_at":null,"password":"$argon2id$v=19$m=19456,t=2,p=1$TuLbxMzMy4bTeCAi4Ulkig$K3vshHOX7AQaQbba1qVQGqdYN4ROoyHwF1B2cJ8iJeE","locale":"en","time_zone":"UTC","state":"active","suspended_until":null,"suspend_reason":null,"deleted_at":null,"erase_after":null,"erased_at":null,"last_login_at":"2026-11-21T20:04:38.72+00:00","rev":1,"created_at":"2026-11-21T20:04:38.72+00:00","updated_at":"2026-11-21T20:04:38.72+00:00"}]$rows$);
SELECT setval('public.outbox_id_seq', 6);
SET session_replication_role = origin;
