import type { WithheldView } from '../../../src/modules/media/dto/withheld.view.js';
import { createAdmin, registerWithRoles } from '../../support/admins.js';
import { FakeClamd } from '../../support/fake-clamd.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { jpeg } from './pictures.js';
import { announce, bytesOf, diskApp, download, type MediaApp, ready, untilSettled, upload } from './support.js';

const text = { mime: 'text/plain' };

let clamd: FakeClamd;
let parley: MediaApp;
let ada: Person;
let bob: Person;
let moderator: Person;
let admin: Person;
beforeAll(async () => {
  clamd = await FakeClamd.start();
  parley = await diskApp({ MEDIA_SCAN_URL: clamd.url });
  admin = await createAdmin(parley);
  moderator = await registerWithRoles(parley.url, admin, 'moderator');
  [ada, bob] = (await registerMany(parley.url, 2)) as [Person, Person];
});
afterAll(async () => {
  await parley.close();
  await clamd.stop();
});

const list = async (query = '') =>
  (await moderator.get<{ items: WithheldView[]; next: string | null }>(`/api/v1/admin/media${query}`)).body;
const quarantine = (id: string) => moderator.post(`/api/v1/admin/media/${id}/quarantine`, { reason: 'reported' });
const release = (id: string) => moderator.post<{ state: string }>(`/api/v1/admin/media/${id}/release`);

it('what the scanner found is listed with its word, and goes on when it is released, unscanned', async () => {
  const c = await createGroup(ada, [bob]);
  const picture = Buffer.concat([await jpeg(), Buffer.from('EICAR')]);
  const { body } = await upload(ada, picture, { mime: 'image/jpeg', name: 'holiday.jpg' });
  expect((await untilSettled(ada, body.id)).state).toBe('quarantined');
  expect((await list()).items[0]).toMatchObject({
    id: body.id,
    ownerId: ada.id,
    name: 'holiday.jpg',
    state: 'quarantined',
    reason: 'Win.Test.EICAR_HDB-1',
  });
  const before = clamd.streams.length;
  expect(await release(body.id)).toMatchObject({ status: 200, body: { state: 'uploaded' } });
  expect(await untilSettled(ada, body.id)).toMatchObject({ state: 'ready', variants: ['medium', 'thumb'] });
  expect(clamd.streams).toHaveLength(before);
  await send(ada, c, { attachmentIds: [body.id] });
  expect((await bytesOf(await download(bob, body.id))).includes('EICAR')).toBe(false);
});

it('what was released and met a worker that died is scanned again: in doubt it is kept back once more', async () => {
  const { body } = await upload(ada, Buffer.from('EICAR in words'), text);
  expect((await untilSettled(ada, body.id)).state).toBe('quarantined');
  const before = clamd.streams.length;
  // As a worker leaves it that has taken the released file and died with it.
  await query(
    `UPDATE media_objects SET state = 'processing', reject_reason = 'released', uploaded_at = now() - interval '6 minutes'
     WHERE id = $1`,
    [body.id],
    parley.databaseUrl,
  );
  expect((await untilSettled(ada, body.id)).state).toBe('quarantined');
  expect(clamd.streams).toHaveLength(before + 1);
  expect(await release(body.id)).toMatchObject({ status: 200, body: { state: 'uploaded' } });
  expect((await untilSettled(ada, body.id)).state).toBe('ready');
});

it('what a moderator took away comes back as it was, and those who see the message are told', async () => {
  const c = await createGroup(ada, [bob]);
  const media = await ready(ada, Buffer.from('text'), text);
  const message = await send(ada, c, { attachmentIds: [media.id] });
  const live = await connect(bob);
  const told = (state: string) =>
    live.until<{ v: { seq: number; attachments?: { state: string }[] } }>(
      'change',
      ({ v }) => v.seq === message.seq && v.attachments?.[0]?.state === state,
    );
  expect((await quarantine(media.id)).status).toBe(200);
  await told('quarantined');
  expect((await bob.get(`/api/v1/media/${media.id}/content`)).body).toMatchObject({ code: 'invalid_state' });
  expect((await list()).items[0]).toMatchObject({ id: media.id, reason: 'reported' });
  expect(await release(media.id)).toMatchObject({ status: 200, body: { state: 'ready' } });
  await told('ready');
  live.close();
  expect(await bytesOf(await download(bob, media.id))).toEqual(Buffer.from('text'));
});

it('only what is in quarantine is released; an upload that had not come goes on waiting', async () => {
  const media = await ready(ada, Buffer.from('text'), text);
  expect((await release(media.id)).body).toMatchObject({ code: 'invalid_state' });
  expect((await release('0190a000-0000-7000-8000-000000000001')).status).toBe(404);
  const { body } = await announce(ada, Buffer.from('text'), text);
  await quarantine(body.mediaId);
  expect((await release(body.mediaId)).body).toMatchObject({ state: 'pending' });
  const wrong = await upload(ada, Buffer.from('<html>'), { mime: 'image/png' });
  expect(wrong.status).toBe(422);
  const [rejected] = (await list('?state=rejected')).items;
  expect(rejected).toMatchObject({ state: 'rejected', reason: 'type_mismatch' });
  expect((await release(rejected?.id ?? '')).body).toMatchObject({ code: 'invalid_state' });
  await quarantine(rejected?.id ?? '');
  expect((await release(rejected?.id ?? '')).body).toMatchObject({ state: 'rejected' });
});

it('the list comes in pages, newest first', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { body } = await announce(ada, Buffer.from('text'), text);
    await quarantine(body.mediaId);
    ids.unshift(body.mediaId);
  }
  const seen: string[] = [];
  for (let next: string | null = ''; next !== null && seen.length < 5;) {
    const page = await list(`?limit=2${next === '' ? '' : `&cursor=${next}`}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    next = page.next;
  }
  expect(seen.slice(0, 5)).toEqual(ids);
  expect((await moderator.get('/api/v1/admin/media?cursor=x')).body).toMatchObject({ code: 'invalid_cursor' });
  expect((await moderator.get('/api/v1/admin/media?state=ready')).body).toMatchObject({ code: 'validation_failed' });
});

it('needs the permission, and is in the audit log', async () => {
  const media = await ready(ada, Buffer.from('text'), text);
  for (const { status } of [
    await bob.get('/api/v1/admin/media'),
    await bob.post(`/api/v1/admin/media/${media.id}/release`),
    await bob.delete(`/api/v1/admin/media/${media.id}`),
  ])
    expect(status).toBe(403);
  await quarantine(media.id);
  await release(media.id);
  expect((await moderator.delete(`/api/v1/admin/media/${media.id}`)).status).toBe(204);
  expect((await ada.get(`/api/v1/media/${media.id}`)).status).toBe(404);
  let actions: string[] = [];
  for (let i = 0; actions.length < 3 && i < 400; i++) {
    const { body } = await admin.get<{ items: { action: string; actorId: string; targetId: string }[] }>(
      '/api/v1/admin/audit-logs?limit=50',
    );
    actions = body.items
      .filter(({ targetId, actorId }) => targetId === media.id && actorId === moderator.id)
      .map(({ action }) => action);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(actions.toSorted()).toEqual(['media.delete', 'media.quarantine', 'media.release']);
});
