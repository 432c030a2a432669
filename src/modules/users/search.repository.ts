import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import { characters } from '../../platform/http/text.js';
import { userColumns, type UserRow } from './users.repository.js';
import { escapeLike, parseIdentifier } from './users.rules.js';

export type FoundUser = UserRow & { rank: number };

/**
 * People by handle prefix, similar name, or exact address, best first: whom `discoverableBy` lets this viewer find, and
 * who neither blocks nor is blocked by them. `after` is the (rank, id) of the last row seen.
 */
export function searchUsers(
  db: Db,
  viewerId: string,
  query: string,
  after: readonly [rank: number, id: string] | null,
  limit: number,
): Promise<FoundUser[]> {
  const text = query.toLowerCase();
  const address = parseIdentifier(query)?.value ?? null;
  const handlePrefix = `${escapeLike(text.replace(/^@/, ''))}%`;
  // Two characters are found at the beginning of a name only: inside it no index helps, and they resemble too much.
  const inName =
    characters(query) < 3
      ? sql`u.display_name ILIKE ${`${escapeLike(query)}%`}`
      : sql`(u.display_name ILIKE ${`%${escapeLike(query)}%`} OR u.display_name % ${query})`;
  return db.query<FoundUser>(sql`
    SELECT * FROM (
      SELECT ${userColumns},
             (CASE WHEN u.handle = ${text.replace(/^@/, '')} OR lower(u.email) = ${address} OR u.phone = ${address} THEN 4000
                   WHEN u.handle LIKE ${handlePrefix} THEN 2000 ELSE 0 END
              + round(similarity(u.display_name, ${query}) * 1000))::int AS rank
      FROM users u LEFT JOIN user_preferences p ON p.user_id = u.id
      WHERE u.deleted_at IS NULL AND u.id <> ${viewerId}
        AND (u.handle LIKE ${handlePrefix} OR ${inName} OR lower(u.email) = ${address} OR u.phone = ${address})
        AND CASE coalesce(p.privacy ->> 'discoverableBy', 'everyone')
              WHEN 'everyone' THEN true
              WHEN 'contacts' THEN EXISTS (SELECT FROM contacts c
                WHERE c.owner_id = u.id AND c.target_id = ${viewerId} AND c.deleted_at IS NULL)
              ELSE false END
        AND NOT EXISTS (SELECT FROM user_blocks b WHERE b.deleted_at IS NULL
              AND (b.owner_id, b.target_id) IN ((u.id, ${viewerId}::uuid), (${viewerId}::uuid, u.id)))) AS found
    WHERE state = 'active' AND (${after === null} OR (rank, id) < (${after?.[0] ?? null}::int, ${after?.[1] ?? null}::uuid))
    ORDER BY rank DESC, id DESC LIMIT ${limit}`);
}
