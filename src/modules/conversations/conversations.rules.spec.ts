import {
  atLeast,
  defaultSettings,
  directKey,
  escapeLike,
  isTold,
  outranks,
  type Role,
  visibleFrom,
} from './conversations.rules.js';

const roles: Role[] = ['member', 'admin', 'owner'];

it('ranks owner over admin over member', () => {
  expect(roles.map((role) => roles.map((needed) => atLeast(role, needed)))).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
  expect(roles.map((role) => roles.map((other) => outranks(role, other)))).toEqual([
    [false, false, false],
    [true, false, false],
    [true, true, false],
  ]);
});

it('gives a pair one key', () => {
  expect(directKey('b', 'a')).toBe('a:b');
  expect(directKey('a', 'b')).toBe('a:b');
});

it('shows new members all, or what comes after them', () => {
  expect(visibleFrom({ ...defaultSettings.group, historyForNewMembers: 'all' }, 7)).toBe(1);
  expect(visibleFrom({ ...defaultSettings.group, historyForNewMembers: 'none' }, 7)).toBe(8);
});

it('lets everybody in a direct conversation do everything, and only admins write to a channel', () => {
  expect(Object.values(defaultSettings.direct).filter((value) => value === 'admin')).toEqual([]);
  expect(defaultSettings.channel.whoCanPost).toBe('admin');
});

it('tells less in a channel, and nothing in a direct conversation', () => {
  expect([
    isTold('group', 'member_added'),
    isTold('channel', 'member_added'),
    isTold('direct', 'member_added'),
  ]).toEqual([true, false, false]);
  expect([isTold('channel', 'title_changed'), isTold('direct', 'conversation_created')]).toEqual([true, false]);
});

it('matches LIKE text as it stands', () => {
  expect(escapeLike(String.raw`50%_\ off`)).toBe(String.raw`50\%\_\\ off`);
});
