import { migrations, SchemaFixture } from './schema-fixture.js';
import { v7 } from './uuid.js';

const fixture = SchemaFixture.use();
const [UNIQUE, CHECK, RIGHTS] = ['23505', '23514', '42501'];

describe('accounts', () => {
  const insert = (column: string, value: string) =>
    fixture.refusal(`INSERT INTO users (id, display_name, ${column}) VALUES ($1, 'x', $2)`, [v7(), value]);

  it.each([
    ['handle', 'Ada', 'aDA'],
    ['email', 'ada@example.org', 'ADA@example.org'],
    ['phone', '+15550100', '+15550100'],
  ])('%s is taken until its account is deleted', async (column, value, same) => {
    expect(await insert(column, value)).toBeUndefined();
    expect(await insert(column, same)).toBe(UNIQUE);
    await fixture.db.query(`UPDATE users SET deleted_at = now() WHERE ${column} = $1`, [value]);
    expect(await insert(column, same)).toBeUndefined();
  });

  it('nobody is a contact of themselves, or blocks themselves', async () => {
    const user = await fixture.user();
    for (const table of ['contacts', 'user_blocks']) {
      const sql = `INSERT INTO ${table} (owner_id, target_id, rev) VALUES ($1, $1, 1)`;
      expect(await fixture.refusal(sql, [user])).toBe(CHECK);
    }
  });

  it('one external session per user, issuer and device; any number of built-in ones', async () => {
    const user = await fixture.user();
    const insertSession = (kind: string) =>
      fixture.refusal(
        `INSERT INTO user_sessions (id, user_id, kind, issuer, device_id, platform, ip_hash)
         VALUES ($1, $2, $3::session_kind, 'iss', 'd', 'web', '')`,
        [v7(), user, kind],
      );
    expect([await insertSession('external'), await insertSession('external')]).toEqual([undefined, UNIQUE]);
    expect([await insertSession('builtin'), await insertSession('builtin')]).toEqual([undefined, undefined]);
  });
});

describe('conversations and messages', () => {
  it('a direct conversation has its key, another has none', async () => {
    const insert = (type: string, key: string | null) =>
      fixture.refusal(
        `INSERT INTO conversations (id, type, direct_key, settings, created_by, rev)
         VALUES ($1, $2::conversation_type, $3, '{}', $1, 1)`,
        [v7(), type, key],
      );
    expect(await insert('direct', null)).toBe(CHECK);
    expect(await insert('group', 'a:b')).toBe(CHECK);
    expect([await insert('direct', 'a:b'), await insert('direct', 'a:b')]).toEqual([undefined, UNIQUE]);
  });

  it('read stays between 0 and delivered', async () => {
    await fixture.conversation(await fixture.user());
    for (const set of ['read_seq = -1', 'read_seq = 1', 'read_ord = 1']) {
      expect(await fixture.refusal(`UPDATE memberships SET ${set}`)).toBe(CHECK);
    }
    expect(
      await fixture.refusal('UPDATE memberships SET read_seq = 1, delivered_seq = 1, read_ord = 1'),
    ).toBeUndefined();
  });

  it('the same clientId of one sender is one row, in one conversation', async () => {
    const user = await fixture.user();
    const [a, b] = [await fixture.conversation(user), await fixture.conversation(user)];
    const clientId = v7();
    const insert = (c: string, seq: number, sender: string | null) =>
      fixture.refusal(
        'INSERT INTO messages (conversation_id, seq, id, rev, ord, sender_id, client_id) VALUES ($1, $2, $3, $2, $2, $4, $5)',
        [c, seq, v7(), sender, clientId],
      );
    expect([await insert(a, 1, user), await insert(a, 2, user), await insert(b, 1, user)]).toEqual([
      undefined,
      UNIQUE,
      undefined,
    ]);
    expect(await insert(a, 1, null)).toBe(UNIQUE); // seq is taken
  });

  it('a tombstone has no content', async () => {
    const c = await fixture.conversation();
    await fixture.db.query(
      `INSERT INTO messages (conversation_id, seq, id, rev, ord, body) VALUES ($1, 1, $2, 1, 1, 'secret')`,
      [c, v7()],
    );
    const erase = `UPDATE messages SET deleted_at = now()`;
    expect(await fixture.refusal(erase)).toBe(CHECK);
    expect(await fixture.refusal(`${erase}, body = NULL`)).toBeUndefined();
  });

  it('one call at a time rings or runs in a conversation', async () => {
    const user = await fixture.user();
    const c = await fixture.conversation(user);
    const call = async (seq: number, state: string) => {
      const message = 'INSERT INTO messages (conversation_id, seq, id, rev, ord) VALUES ($1, $2, $3, $2, $2)';
      await fixture.db.query(message, [c, seq, v7()]);
      return fixture.refusal(
        `INSERT INTO call_logs (id, conversation_id, seq, media, initiator_id, state)
         VALUES ($1, $2, $3, 'audio', $4, $5::call_state)`,
        [v7(), c, seq, user, state],
      );
    };
    expect(await call(1, 'ringing')).toBeUndefined();
    expect([await call(2, 'active'), await call(3, 'ringing')]).toEqual([UNIQUE, UNIQUE]);
    expect(await call(4, 'ended')).toBeUndefined();
  });
});

describe('the audit log', () => {
  it('only grows, even for its owner', async () => {
    const insert = `INSERT INTO audit_logs (id, action, permission, target_type, request_id, ip_hash, prev_hash, hash)
      VALUES ($1, 'a', 'p', 't', 'r', '', '', '')`;
    expect(await fixture.refusal(insert, [v7()])).toBeUndefined();
    for (const sql of [`UPDATE audit_logs SET action = 'b'`, 'DELETE FROM audit_logs', 'TRUNCATE audit_logs']) {
      expect(await fixture.refusal(sql)).toBe(RIGHTS);
    }
    expect(await fixture.rows('SELECT action FROM audit_logs')).toEqual([{ action: 'a' }]);
  });
});

describe('the audit log of an installation with a role of its own for the application', () => {
  const role = `parley_test_app_${v7().slice(-12)}`;
  const grant = `CREATE ROLE ${role}; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${role}`;
  const separate = SchemaFixture.use([{ name: 'grant', sql: grant }, ...migrations()]);

  it('can be read and written, but not changed, by whomever', async () => {
    const holders = `SELECT g.grantee::regrole::text AS role, array_agg(g.privilege_type::text ORDER BY g.privilege_type) AS rights
      FROM pg_class AS c, aclexplode(c.relacl) AS g
      WHERE c.relname = 'audit_logs' AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
      GROUP BY g.grantee ORDER BY g.grantee`;
    const rows = await separate.rows<{ role: string; rights: string[] }>(holders);
    await separate.db.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    expect(rows.map((row) => row.role)).toContain(role);
    expect(rows.map((row) => row.rights)).toEqual(rows.map(() => ['INSERT', 'SELECT']));
  });
});

describe('singletons and open states', () => {
  it.each(['server_epoch', 'system_health_config'])('%s has one row, made by the seeds', async (table) => {
    expect(await fixture.rows(`SELECT id FROM ${table}`)).toEqual([{ id: 1 }]);
    expect(await fixture.refusal(`UPDATE ${table} SET id = 2`)).toBe(CHECK);
  });

  it('one open alert per metric and replica, and one for the installation', async () => {
    const open = (replica: string | null) =>
      fixture.refusal(
        `INSERT INTO health_alerts (id, metric, level, replica_id, value, threshold) VALUES ($1, 'cpuUsage', 'warning', $2, 1, 1)`,
        [v7(), replica],
      );
    const replica = v7();
    expect([await open(null), await open(null)]).toEqual([undefined, UNIQUE]);
    expect([await open(replica), await open(replica)]).toEqual([undefined, UNIQUE]);
    await fixture.db.query('UPDATE health_alerts SET resolved_at = now()');
    expect([await open(null), await open(replica)]).toEqual([undefined, undefined]);
  });

  it('a report is of a message or of a user', async () => {
    const user = await fixture.user();
    const report = (target: string | null) =>
      fixture.refusal(`INSERT INTO reports (id, reporter_id, user_id, reason) VALUES ($1, $2, $3, 'spam')`, [
        v7(),
        user,
        target,
      ]);
    expect([await report(null), await report(user)]).toEqual([CHECK, undefined]);
  });
});
