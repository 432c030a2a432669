import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

const LOWEST = '00000000-0000-0000-0000-000000000000';
const PAGE = 1000;

type Line = { type: string } & Record<string, unknown>;

/** Devices without their tokens, which are keys; one JSON object per row. */
export const deviceLines = (db: Db, userId: string): Promise<Line[]> =>
  db.query<Line>(sql`
    SELECT 'device' AS type, device_id AS "deviceId", provider, platform, app_version AS "appVersion", locale, enabled,
           last_ok_at AS "lastOkAt", created_at AS "createdAt", deleted_at AS "deletedAt"
    FROM push_devices WHERE user_id = ${userId} ORDER BY created_at, device_id`);

/** The whole list, what was dismissed included, oldest first. */
export async function* noticeLines(db: Db, userId: string): AsyncGenerator<Line> {
  for (let after: unknown = LOWEST; after !== undefined;) {
    const rows: Line[] = await db.query<Line>(sql`
      SELECT 'notification' AS type, id, kind, actor_id AS "actorId", conversation_id AS "conversationId", seq, data,
             created_at AS "createdAt", read_at AS "readAt", dismissed_at AS "dismissedAt"
      FROM notifications WHERE user_id = ${userId} AND id > ${after} ORDER BY id LIMIT ${PAGE}`);
    yield* rows;
    after = rows.length === PAGE ? rows.at(-1)?.['id'] : undefined;
  }
}

/** Why each device rang or did not, in the order of the messages. */
export async function* decisionLines(db: Db, userId: string): AsyncGenerator<Line> {
  for (let after: Line | undefined = { type: '', messageId: LOWEST, deviceId: '' }; after;) {
    const rows: Line[] = await db.query<Line>(sql`
      SELECT 'push' AS type, message_id AS "messageId", device_id AS "deviceId", conversation_id AS "conversationId", decision,
             reason, provider, attempts, decided_at AS "decidedAt", sent_at AS "sentAt"
      FROM notification_decisions
      WHERE user_id = ${userId} AND (message_id, device_id) > (${after['messageId']}::uuid, ${after['deviceId']}::text)
      ORDER BY message_id, device_id LIMIT ${PAGE}`);
    yield* rows;
    after = rows.length === PAGE ? rows.at(-1) : undefined;
  }
}
