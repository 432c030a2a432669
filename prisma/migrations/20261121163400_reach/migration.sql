-- lifecycle: expand
-- Owner: conversations.

-- active_members(conversation, after) -> rows (user_id)
--
-- Ids of the active members, of those above `after`; the lowest uuid gives all. For joins of other modules with tables of
-- theirs: the planner sees through it, so ORDER BY user_id LIMIT n reads no more than it must. Locks nothing.
CREATE OR REPLACE FUNCTION active_members(p_conversation uuid, p_after uuid) RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE AS $$
  SELECT m.user_id FROM memberships AS m
  WHERE m.conversation_id = p_conversation AND m.state = 'active' AND m.user_id > p_after
$$;
