import type { Permission } from '../../platform/auth/permissions.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export interface RoleRow {
  id: string;
  name: string;
  description: string;
  builtIn: boolean;
  permissions: Permission[];
  /** Number of users who hold it by assignment. */
  users: number;
}

/** Everybody has it without an assignment. */
export const EVERYONE = 'user';
export const ADMIN = 'admin';

const LOCK = 0x7061_6474;
const roleColumns = sql`
  r.id, r.name, r.description, r.built_in AS "builtIn",
  ARRAY(SELECT permission FROM role_permissions WHERE role_id = r.id ORDER BY permission) AS permissions,
  (SELECT count(*) FROM user_roles WHERE role_id = r.id) AS users`;

/** Changes of who holds what happen one after the other: two admins cannot remove each other at once. */
export const lockRoles = (tx: Tx): Promise<number> => tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK})`);

export const listRoles = (db: Db): Promise<RoleRow[]> =>
  db.query<RoleRow>(sql`SELECT ${roleColumns} FROM roles r ORDER BY r.built_in DESC, r.name`);

/** Those of the names that exist, in no order. */
export const findRoles = (db: Db, names: readonly string[]): Promise<RoleRow[]> =>
  db.query<RoleRow>(sql`SELECT ${roleColumns} FROM roles r WHERE r.name = ANY(${names})`);

/** Roles assigned to users, by user id. */
export async function rolesOf(db: Db, userIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await db.query<{ userId: string; names: string[] }>(sql`
    SELECT u.user_id AS "userId", array_agg(r.name ORDER BY r.name) AS names
    FROM user_roles u JOIN roles r ON r.id = u.role_id WHERE u.user_id = ANY(${userIds}::uuid[]) GROUP BY u.user_id`);
  return new Map(rows.map(({ userId, names }) => [userId, names]));
}

/** What a user may: what the assigned roles give, with the user's own exceptions. */
export interface GrantsRow {
  userId: string;
  roles: string[];
  permissions: Permission[];
}

/** Of those of the users who have any; everybody's role and its permissions are not among them. */
export const findGrants = (db: Db, userIds: readonly string[]): Promise<GrantsRow[]> =>
  db.query<GrantsRow & Record<string, unknown>>(sql`
    SELECT i.user_id AS "userId",
           ARRAY(SELECT r.name FROM user_roles u JOIN roles r ON r.id = u.role_id
                 WHERE u.user_id = i.user_id ORDER BY r.name) AS roles,
           ARRAY((SELECT p.permission FROM user_roles u JOIN role_permissions p ON p.role_id = u.role_id
                  WHERE u.user_id = i.user_id
                  UNION SELECT permission FROM user_permissions WHERE user_id = i.user_id AND granted)
                 EXCEPT SELECT permission FROM user_permissions WHERE user_id = i.user_id AND NOT granted
                 ORDER BY 1) AS permissions
    FROM (SELECT user_id FROM user_roles WHERE user_id = ANY(${userIds}::uuid[])
          UNION SELECT user_id FROM user_permissions WHERE user_id = ANY(${userIds}::uuid[])) AS i`);

/** Those who hold a role and are denied nothing of it. */
export async function holdersOf(db: Db, role: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(sql`
    SELECT u.user_id AS id FROM user_roles u JOIN roles r ON r.id = u.role_id
    WHERE r.name = ${role} AND NOT EXISTS (
      SELECT FROM user_permissions x JOIN role_permissions p ON p.role_id = r.id AND p.permission = x.permission
      WHERE x.user_id = u.user_id AND NOT x.granted)`);
  return rows.map(({ id }) => id);
}

export async function insertRole(tx: Tx, role: { id: string; name: string; description: string }): Promise<boolean> {
  const inserted = await tx.execute(sql`
    INSERT INTO roles (id, name, description) VALUES (${role.id}, ${role.name}, ${role.description})
    ON CONFLICT (name) DO NOTHING`);
  return inserted > 0;
}

export const describeRole = (tx: Tx, id: string, description: string): Promise<number> =>
  tx.execute(sql`UPDATE roles SET description = ${description} WHERE id = ${id}`);

export async function setPermissions(tx: Tx, roleId: string, permissions: readonly Permission[]): Promise<void> {
  await tx.execute(sql`DELETE FROM role_permissions WHERE role_id = ${roleId} AND permission <> ALL(${permissions})`);
  await tx.execute(sql`
    INSERT INTO role_permissions (role_id, permission) SELECT ${roleId}, unnest(${permissions}::text[])
    ON CONFLICT DO NOTHING`);
}

export const deleteRole = (tx: Tx, id: string): Promise<number> => tx.execute(sql`DELETE FROM roles WHERE id = ${id}`);

/** Makes these the roles of a user; `by` is remembered with the new ones. */
export async function assignRoles(tx: Tx, userId: string, roleIds: readonly string[], by: string): Promise<void> {
  await tx.execute(sql`DELETE FROM user_roles WHERE user_id = ${userId} AND role_id <> ALL(${roleIds}::uuid[])`);
  await tx.execute(sql`
    INSERT INTO user_roles (user_id, role_id, granted_by) SELECT ${userId}, unnest(${roleIds}::uuid[]), ${by}
    ON CONFLICT DO NOTHING`);
}

/** An erased user holds nothing. */
export async function dropGrants(db: Db, userId: string): Promise<void> {
  await db.execute(sql`DELETE FROM user_roles WHERE user_id = ${userId}`);
  await db.execute(sql`DELETE FROM user_permissions WHERE user_id = ${userId}`);
}

export const listPermissions = (db: Db): Promise<{ name: Permission; description: string }[]> =>
  db.query(sql`SELECT name, description FROM permissions ORDER BY name`);
