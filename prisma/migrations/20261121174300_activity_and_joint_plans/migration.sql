-- lifecycle: expand
-- Owner: conversations. Lists are ordered by a time, since numbers of transactions begin anew in a restored database.

ALTER TABLE "conversation_head" ADD COLUMN IF NOT EXISTS "active_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- conversation_advance(conversation, seqs, ords, revs, delete_seq, actors[], mark_seq[], mark_ord[], force[])
--
-- As before; the head also notes when it moved.
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
END $$;

-- conversation_advance_free(conversations[], seqs[], ords[], revs[],  senders[], of[], members[], mark_seq[], mark_ord[])
--   -> rows (conversation_id, seq, ord, rev): heads BEFORE the step
--
-- conversation_advance and conversation_admit for plain sends to many conversations at once. The first four arrays run
-- parallel, one entry per conversation, each once. So do the others, one entry per conversation and sender, each once: how
-- many senders the conversation has here, whose watermarks move, and to which offsets from the head (always forced).
--
-- It never waits and never raises: a conversation comes back only if its head and its senders' memberships could be locked
-- at once, it lives, every sender is an active member and may write with no further question. The others are left
-- untouched, and whoever called takes them one by one, which waits and explains. So no conversation holds up another one,
-- and many heads in one transaction cannot deadlock.
--
-- Each check runs after the heads are locked, in a snapshot of its own, as in conversation_advance. Arrays are joined with
-- tables only, and every row is found by its primary key, whatever the statistics say: a plan made while the tables were
-- small would compare all with all.
CREATE OR REPLACE FUNCTION conversation_advance_free(
  p_conversations uuid[], p_seqs integer[], p_ords integer[], p_revs integer[],
  p_senders integer[], p_of uuid[], p_members uuid[], p_mark_seq bigint[], p_mark_ord bigint[]
) RETURNS TABLE (conversation_id uuid, seq bigint, ord bigint, rev bigint) LANGUAGE plpgsql ROWS 100
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
END $$;
