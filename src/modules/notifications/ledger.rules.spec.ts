import type { Told } from './audience.service.js';
import type { RecentPushes } from './decisions.repository.js';
import type { DeviceRow } from './devices.repository.js';
import { decisionKey, planDecisions } from './ledger.rules.js';

const now = new Date(0);
const say = (id: string, conversationId = 'c', senderId = 'ada'): Told => ({
  message: {
    id,
    conversationId,
    seq: 1,
    kind: 'text',
    senderId,
    replyToSeq: null,
    threadId: null,
    mentions: [],
    mentionAll: false,
    silent: false,
    createdAt: now,
    deletedAt: null,
  },
  memberCount: 2,
  meant: new Set(),
  followers: undefined,
  facts: { seq: 1, deleted: false, quiet: false, createdAt: now },
});
const device = (userId: string, deviceId = 'phone', more: Partial<DeviceRow> = {}): DeviceRow => ({
  userId,
  deviceId,
  provider: 'webhook',
  tokenHash: '',
  tokenEnc: '',
  platform: 'ios',
  appVersion: null,
  locale: null,
  enabled: true,
  rev: 1,
  lastOkAt: null,
  createdAt: now,
  deletedAt: null,
  ...more,
});
const at = (userId: string, conversationId = 'c') => ({ conversationId, userId });
const before = (more: Partial<RecentPushes>): RecentPushes => ({
  userId: 'bob',
  deviceId: 'phone',
  conversationId: 'c',
  carried: false,
  sinceMs: 0,
  count: 1,
  ...more,
});
const plan = (
  told: Told[],
  {
    places = [at('bob')],
    devices = [device('bob')],
    recent = [],
    decided = [],
    judge = () => undefined,
  }: Partial<{
    places: ReturnType<typeof at>[];
    devices: DeviceRow[];
    recent: RecentPushes[];
    decided: string[];
    judge: Parameters<typeof planDecisions>[3]['judge'];
  }> = {},
) =>
  planDecisions(told, places, devices, { judge, recent, decided: new Set(decided), available: () => true }).map(
    ({ messageId, userId, deviceId, reason, delayMs }) => [messageId, `${userId}/${deviceId}`, reason, delayMs],
  );

it('of messages decided together the first goes and takes the others of its conversation along', () => {
  const told = [say('1'), say('2'), say('3', 'other')];
  expect(plan(told, { places: [at('bob'), at('bob', 'other')] })).toEqual([
    ['1', 'bob/phone', 'ok', 0],
    ['2', 'bob/phone', 'collapsed', null],
    ['3', 'bob/phone', 'ok', 0],
  ]);
});

it('each device is decided by itself', () => {
  const devices = [device('bob'), device('bob', 'tablet', { enabled: false }), device('cy')];
  expect(plan([say('1')], { places: [at('bob'), at('cy')], devices })).toEqual([
    ['1', 'bob/phone', 'ok', 0],
    ['1', 'bob/tablet', 'device_disabled', null],
    ['1', 'cy/phone', 'ok', 0],
  ]);
});

it('a push that waits takes along, one that went lets the next wait', () => {
  expect(plan([say('1')], { recent: [before({ carried: true })] })).toEqual([['1', 'bob/phone', 'collapsed', null]]);
  expect(plan([say('1'), say('2')], { recent: [before({ sinceMs: 5000 })] })).toEqual([
    ['1', 'bob/phone', 'ok', 15_000],
    ['2', 'bob/phone', 'collapsed', null],
  ]);
});

it('what was decided before stays as it is, and carries nothing by itself', () => {
  const decided = [decisionKey({ messageId: '1', userId: 'bob', deviceId: 'phone' })];
  expect(plan([say('1'), say('2')], { decided })).toEqual([['2', 'bob/phone', 'ok', 0]]);
});

it('nobody hears of their own messages, nor of conversations they are not looked at for', () => {
  expect(plan([say('1', 'c', 'bob'), say('2', 'elsewhere')])).toEqual([]);
});

it('a reason against it is written down, and counts as no push', () => {
  const judge = ({ message }: Told) => (message.id === '1' ? 'muted' : undefined);
  expect(plan([say('1'), say('2')], { judge })).toEqual([
    ['1', 'bob/phone', 'muted', null],
    ['2', 'bob/phone', 'ok', 0],
  ]);
});

it('a device gets thirty in a minute, of all conversations together', () => {
  const recent = [before({ conversationId: 'a', count: 20 }), before({ conversationId: 'b', count: 9 })];
  const told = [say('1'), say('2', 'other')];
  expect(plan(told, { recent, places: [at('bob'), at('bob', 'other')] })).toEqual([
    ['1', 'bob/phone', 'ok', 0],
    ['2', 'bob/phone', 'rate_limited', null],
  ]);
});
