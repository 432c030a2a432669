import { newId } from '../../platform/clock/clock.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';

export interface EndpointRow {
  id: string;
  url: string;
  description: string | null;
  /** Sealed. */
  secretEnc: string;
  events: string[];
  enabled: boolean;
  failures: number;
  disabledAt: Date | null;
}

export interface DeliveryRow {
  id: string;
  endpointId: string;
  eventId: string;
  type: string;
  payload: Record<string, unknown>;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  nextAt: Date | null;
  lastStatus: number | null;
  createdAt: Date;
}

/** A delivery whose attempt has begun, with where it goes. */
export type DueDelivery = DeliveryRow & Pick<EndpointRow, 'url' | 'secretEnc'>;

const endpointColumns = sql`
  e.id, e.url, e.description, e.secret_enc AS "secretEnc", e.events, e.enabled, e.failures, e.disabled_at AS "disabledAt"`;
const deliveryColumns = sql`
  d.id, d.endpoint_id AS "endpointId", d.event_id AS "eventId", d.type, d.payload, d.state, d.attempts, d.next_at AS "nextAt",
  d.last_status AS "lastStatus", d.created_at AS "createdAt"`;

/** From so many failures in a row on an endpoint is asked for one delivery at a time, and rests in between. */
const BROKEN = 5;
const REST_S = 30;
const CLAIM_S = 60;

export const listEndpoints = (db: Db): Promise<EndpointRow[]> =>
  db.query<EndpointRow & Record<string, unknown>>(
    sql`SELECT ${endpointColumns} FROM webhook_endpoints AS e ORDER BY e.id`,
  );

export async function lockEndpoint(tx: Tx, id: string): Promise<EndpointRow | undefined> {
  const [row] = await tx.query<EndpointRow & Record<string, unknown>>(
    sql`SELECT ${endpointColumns} FROM webhook_endpoints AS e WHERE e.id = ${id} FOR NO KEY UPDATE`,
  );
  return row;
}

/** Two who add an endpoint at once take turns, so that the limit holds. */
export async function lockEndpoints(tx: Tx): Promise<void> {
  await tx.query(sql`SELECT pg_advisory_xact_lock(hashtext('parley.webhook_endpoints'))`);
}

export async function saveEndpoint(tx: Tx, row: EndpointRow): Promise<void> {
  await tx.execute(sql`
    INSERT INTO webhook_endpoints (id, url, description, secret_enc, events, enabled, failures, disabled_at)
    VALUES (${row.id}, ${row.url}, ${row.description}, ${row.secretEnc}, ${row.events}::text[], ${row.enabled}, ${row.failures}, ${row.disabledAt})
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, description = excluded.description, events = excluded.events,
      enabled = excluded.enabled, failures = excluded.failures, disabled_at = excluded.disabled_at`);
}

export const deleteEndpoint = (tx: Tx, id: string): Promise<number> =>
  tx.execute(sql`DELETE FROM webhook_endpoints WHERE id = ${id}`);

export interface NewDelivery {
  endpointId: string;
  eventId: string;
  type: string;
  payload: Record<string, unknown>;
}

/** An event that an endpoint has already is passed over. */
export async function insertDeliveries(db: Db, rows: readonly NewDelivery[]): Promise<void> {
  await db.execute(sql`
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, payload, next_at)
    SELECT n.id, n.endpoint_id, n.event_id, n.type, n.payload::jsonb, now()
    FROM unnest(${rows.map(() => newId())}::uuid[], ${rows.map((r) => r.endpointId)}::uuid[], ${rows.map((r) => r.eventId)}::text[],
                ${rows.map((r) => r.type)}::text[], ${rows.map((r) => JSON.stringify(r.payload))}::text[])
      AS n (id, endpoint_id, event_id, type, payload)
    JOIN webhook_endpoints AS e ON e.id = n.endpoint_id
    ON CONFLICT (endpoint_id, event_id) DO NOTHING`);
}

/** Begins attempts for what is due, at most ten per endpoint; who dies in between leaves them taken for a minute. */
export const claimDue = (db: Db, holds: Sql, limit: number): Promise<DueDelivery[]> =>
  db.query<DueDelivery & Record<string, unknown>>(sql`
    WITH held AS MATERIALIZED (${holds}), due AS MATERIALIZED (
      SELECT d.id, row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.next_at, d.id) AS n, e.failures
      FROM webhook_deliveries AS d JOIN webhook_endpoints AS e ON e.id = d.endpoint_id AND e.enabled
      WHERE d.state = 'pending' AND d.next_at <= now() AND EXISTS (SELECT FROM held))
    UPDATE webhook_deliveries AS d SET attempts = d.attempts + 1, next_at = now() + make_interval(secs => ${CLAIM_S})
    FROM webhook_endpoints AS e
    WHERE e.id = d.endpoint_id AND d.id IN (
      SELECT id FROM due WHERE n <= CASE WHEN failures >= ${BROKEN} THEN 1 ELSE 10 END ORDER BY n LIMIT ${limit})
    RETURNING ${deliveryColumns}, e.url, e.secret_enc AS "secretEnc"`);

/** What was resting until the endpoint comes back is due. */
export async function markDelivered(db: Db, { id, endpointId }: DeliveryRow, status: number): Promise<void> {
  await db.execute(sql`
    WITH d AS (UPDATE webhook_deliveries SET state = 'delivered', next_at = NULL, last_status = ${status} WHERE id = ${id}),
         e AS (UPDATE webhook_endpoints SET failures = 0 WHERE id = ${endpointId} AND failures > 0 RETURNING id)
    UPDATE webhook_deliveries AS w SET next_at = now() FROM e
    WHERE w.endpoint_id = e.id AND w.state = 'pending' AND w.attempts = 0`);
}

/** `retryMs` null gives the delivery up. An endpoint that goes on failing rests with all its deliveries. */
export async function markFailed(
  db: Db,
  { id, endpointId }: DeliveryRow,
  status: number | null,
  retryMs: number | null,
): Promise<void> {
  await db.execute(sql`
    UPDATE webhook_deliveries SET last_status = ${status}, state = ${retryMs === null ? 'failed' : 'pending'}::webhook_delivery_state,
      next_at = now() + make_interval(secs => ${retryMs === null ? null : retryMs / 1000}::float8)
    WHERE id = ${id}`);
  await db.execute(sql`
    WITH e AS (UPDATE webhook_endpoints SET failures = failures + 1 WHERE id = ${endpointId} RETURNING id, failures)
    UPDATE webhook_deliveries AS d SET next_at = now() + make_interval(secs => ${REST_S}) FROM e
    WHERE e.failures >= ${BROKEN} AND d.endpoint_id = e.id AND d.state = 'pending'
      AND d.next_at < now() + make_interval(secs => ${REST_S})`);
}

export const disableEndpoint = (db: Db, id: string): Promise<number> =>
  db.execute(sql`UPDATE webhook_endpoints SET enabled = false, disabled_at = now() WHERE id = ${id} AND enabled`);

/** Nothing got through for three days although something was to. */
export async function failingForDays(db: Db, id: string): Promise<boolean> {
  const [row] = await db.query<{ failing: boolean }>(sql`
    SELECT EXISTS (SELECT FROM webhook_deliveries WHERE endpoint_id = ${id} AND state <> 'delivered' AND attempts > 0
                   AND created_at < now() - interval '3 days')
       AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE endpoint_id = ${id} AND state = 'delivered'
                       AND created_at > now() - interval '3 days') AS failing`);
  return row?.failing ?? false;
}

/** Newest first. */
export const listDeliveries = (
  db: Db,
  endpointId: string,
  before: string | null,
  limit: number,
): Promise<DeliveryRow[]> =>
  db.query<DeliveryRow & Record<string, unknown>>(sql`
    SELECT ${deliveryColumns} FROM webhook_deliveries AS d
    WHERE d.endpoint_id = ${endpointId} ${before === null ? sql`` : sql`AND d.id < ${before}`} ORDER BY d.id DESC LIMIT ${limit}`);

/** From the beginning, with all its tries; false when there is no such delivery. */
export async function reopenDelivery(tx: Tx, id: string): Promise<boolean> {
  const reopened = await tx.execute(
    sql`UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = now() WHERE id = ${id}`,
  );
  return reopened > 0;
}

export const purgeDeliveries = (db: Db): Promise<number> =>
  db.execute(sql`DELETE FROM webhook_deliveries WHERE created_at < now() - interval '30 days'`);
