-- lifecycle: expand
-- Sends of many conversations in one statement, and slow mode within it. Each function belongs to the module it is named for.

-- users_blocked_pairs(a[], b[]) -> those of the pairs (a, b) in which either has blocked the other
CREATE OR REPLACE FUNCTION users_blocked_pairs(p_a uuid[], p_b uuid[]) RETURNS TABLE (a uuid, b uuid)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
    SELECT p.a, p.b
    FROM (
      SELECT u.x AS a, u.y AS b, u.x AS owner_id, u.y AS target_id FROM unnest(p_a, p_b) AS u (x, y)
      UNION ALL
      SELECT u.x, u.y, u.y, u.x FROM unnest(p_a, p_b) AS u (x, y)
    ) AS p
    JOIN user_blocks AS k ON k.owner_id = p.owner_id AND k.target_id = p.target_id AND k.deleted_at IS NULL;
END $$;

-- outbox_append_each(topic, keys[], payloads[]) -> how many
--
-- outbox_append for many facts of one topic at once.
CREATE OR REPLACE FUNCTION outbox_append_each(p_topic text, p_keys uuid[], p_payloads jsonb[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  entries bigint;
BEGIN
  INSERT INTO outbox (topic, key, payload)
  SELECT p_topic, u.key::text, u.payload FROM unnest(p_keys, p_payloads) AS u (key, payload);
  GET DIAGNOSTICS entries = ROW_COUNT;
  RETURN entries;
END $$;

-- conversation_advance_free(conversations[], seqs[], ords[], revs[], senders[],  of[], members[], mark_seq[], mark_ord[])
--   -> rows (conversation_id, seq, ord, rev): heads BEFORE the step
--
-- conversation_advance and conversation_admit for plain sends to many conversations at once. The first five arrays run
-- parallel, one entry per conversation, each once; `senders` is how many senders it has among the others, which have one
-- entry per conversation and sender, each once: whose watermarks move, to which offsets from the head (always forced).
--
-- It never waits and never raises: a conversation comes back only if its head and its senders' memberships could be locked
-- at once, it lives, every sender is an active member and may write with no further question. The others are left
-- untouched, and whoever called takes them one by one, which waits and explains. So no conversation holds up another one,
-- and many heads in one transaction cannot deadlock.
--
-- Each check runs after the heads are locked, in a snapshot of its own, as in conversation_advance.
CREATE OR REPLACE FUNCTION conversation_advance_free(
  p_conversations uuid[], p_seqs integer[], p_ords integer[], p_revs integer[], p_senders integer[],
  p_of uuid[], p_members uuid[], p_mark_seq bigint[], p_mark_ord bigint[]
) RETURNS TABLE (conversation_id uuid, seq bigint, ord bigint, rev bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  locked uuid[];
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

  WITH mine AS MATERIALIZED (
    SELECT m.conversation_id, m.role
    FROM unnest(locked) AS l (id)
    JOIN unnest(p_of, p_members) AS s (conversation_id, user_id) ON s.conversation_id = l.id
    JOIN memberships AS m ON m.conversation_id = s.conversation_id AND m.user_id = s.user_id AND m.state = 'active'
    FOR NO KEY UPDATE OF m SKIP LOCKED
  )
  SELECT array_agg(c.id), array_agg(split_part(c.direct_key, ':', 1)::uuid) FILTER (WHERE c.type = 'direct'),
         array_agg(split_part(c.direct_key, ':', 2)::uuid) FILTER (WHERE c.type = 'direct')
  INTO free, ones, others
  FROM (SELECT m.conversation_id AS id, count(*) AS members, bool_or(m.role = 'member') AS plain FROM mine AS m GROUP BY 1) AS x
  JOIN unnest(p_conversations, p_senders) AS w (id, senders) ON w.id = x.id AND w.senders = x.members
  JOIN conversations AS c ON c.id = x.id
  WHERE c.deleted_at IS NULL
    AND (c.type = 'direct' OR NOT x.plain
         OR (c.settings ->> 'whoCanPost' IS DISTINCT FROM 'admin' AND COALESCE((c.settings ->> 'slowModeSec')::integer, 0) = 0));

  SELECT array_agg(concat_ws(':', b.a, b.b)) INTO blocked FROM users_blocked_pairs(ones, others) AS b;
  IF blocked IS NOT NULL THEN
    SELECT array_agg(c.id) INTO free FROM conversations AS c
    WHERE c.id = ANY (free) AND (c.direct_key IS NULL OR c.direct_key <> ALL (blocked));
  END IF;

  UPDATE memberships AS m
  SET read_seq = GREATEST(m.read_seq, h.seq + s.mark_seq), read_ord = GREATEST(m.read_ord, h.ord + s.mark_ord),
      delivered_seq = GREATEST(m.delivered_seq, h.seq + s.mark_seq), marked_unread = false
  FROM unnest(free) AS f (id)
  JOIN unnest(p_of, p_members, p_mark_seq, p_mark_ord) AS s (conversation_id, user_id, mark_seq, mark_ord) ON s.conversation_id = f.id
  JOIN conversation_head AS h ON h.conversation_id = f.id
  WHERE m.conversation_id = s.conversation_id AND m.user_id = s.user_id;

  RETURN QUERY
    UPDATE conversation_head AS h
    SET seq = h.seq + s.seqs, ord = h.ord + s.ords, rev = h.rev + s.revs, updated_xid = pg_current_xact_id()
    FROM unnest(free) AS f (id)
    JOIN unnest(p_conversations, p_seqs, p_ords, p_revs) AS s (conversation_id, seqs, ords, revs) ON s.conversation_id = f.id
    WHERE h.conversation_id = f.id
    RETURNING h.conversation_id, h.seq - s.seqs, h.ord - s.ords, h.rev - s.revs;
END $$;

-- message_pace(conversation, senders[], pauses[]) -> true
--
-- Whether each sender has paused since their last message here: pauses in ms, parallel to the senders. Else PA429, with the ms
-- that are left as its detail. Call it after conversation_advance: then of two sends at once the second sees the first.
CREATE OR REPLACE FUNCTION message_pace(p_conversation uuid, p_senders uuid[], p_pauses bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
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
END $$;
