import type { Device } from './client/device.js';
import { messageRow, toMe } from './client/rows.js';
import type { Cluster } from './cluster/cluster.js';
import { type Me, now, type Recorder, type Row, type Tables } from './history.js';

interface HistoryPage {
  items: Record<string, unknown>[];
  hasAfter: boolean;
}

/** Of a conversation that is not, or no longer, the device's. */
const NOT_THEIRS: Me = { visibleFromSeq: 0, readSeq: 0, deliveredSeq: 0, unread: 0, unreadCapped: false };

/** All that a device can read of a conversation, page by page; nothing where it may read nothing. */
async function readAll(device: Device, c: string, url: string): Promise<Row[] | undefined> {
  const rows: Row[] = [];
  for (let after = 0; ;) {
    const answer = await device.rest<HistoryPage>(
      'GET',
      `/conversations/${c}/messages?after=${after}&limit=100`,
      undefined,
      url,
    );
    if (!answer.ok && answer.error.code === 'not_found') return undefined;
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    rows.push(...answer.data.items.map(messageRow));
    after = rows.at(-1)?.seq ?? after;
    if (!answer.data.hasAfter) return rows;
  }
}

export async function readDevice(device: Device, recorder: Recorder, url: string): Promise<void> {
  for (const [c, copy] of device.copies) {
    const found = { k: 'final' as const, device: device.name, user: device.user, c, cache: [...copy.rows] };
    const rows = await readAll(device, c, url);
    if (!rows) {
      // Whatever its copy holds is too much, and will be found.
      recorder.add({ ...found, t: now(), rows: [], me: NOT_THEIRS });
      continue;
    }
    const answer = await device.rest<{ me: Me }>('GET', `/conversations/${c}`, undefined, url);
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    recorder.add({ ...found, t: now(), rows, me: toMe(answer.data.me) });
  }
}

const TABLES = `
  SELECT h.conversation_id AS c,
    json_build_object('seq', h.seq, 'rev', h.rev, 'ord', h.ord, 'lastDeleteSeq', h.last_delete_seq) AS head,
    (SELECT coalesce(json_agg(json_build_object('seq', m.seq, 'rev', m.rev, 'id', m.id, 'sender', m.sender_id,
        'clientId', m.client_id, 'counts', m.counts, 'deleted', m.deleted_at IS NOT NULL) ORDER BY m.seq), '[]')
     FROM messages m WHERE m.conversation_id = h.conversation_id) AS messages,
    (SELECT json_agg(json_build_object('user', m.user_id, 'rev', m.rev, 'state', m.state, 'visibleFromSeq', m.visible_from_seq,
        'readSeq', m.read_seq, 'deliveredSeq', m.delivered_seq))
     FROM memberships m WHERE m.conversation_id = h.conversation_id) AS members,
    (SELECT json_agg(json_build_object('key', o.key, 'rev', o.rev)) FROM (
       SELECT 'conversation' AS key, rev FROM conversations WHERE id = h.conversation_id
       UNION ALL SELECT 'thread:' || id, rev FROM threads WHERE conversation_id = h.conversation_id) o) AS others
  FROM conversation_head h`;

export async function readTables(cluster: Cluster, recorder: Recorder): Promise<void> {
  for (const row of await cluster.query<Omit<Tables, 'k' | 't'>>(TABLES))
    recorder.add({ k: 'tables', t: now(), ...row });
}
