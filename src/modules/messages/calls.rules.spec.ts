import { accept, decline, end, expire } from './calls.rules.js';
import type { CallState, ParticipantState } from './dto/call.view.js';

type States = Record<string, ParticipantState>;
const call = (state: CallState, states: States) => ({
  state,
  initiatorId: 'a',
  participants: Object.entries(states).map(([userId, its]) => ({ userId, state: its, joinedAt: null, leftAt: null })),
});
const ringing = call('ringing', { a: 'joined', b: 'ringing', c: 'ringing' });
const active = call('active', { a: 'joined', b: 'joined', c: 'ringing' });
const over = call('ended', { a: 'left', b: 'left', c: 'missed' });
const outcome = (step: ReturnType<typeof accept>) =>
  step && [step.state, step.action, Object.fromEntries(step.participants)];

describe('calls', () => {
  it.each<[string, () => ReturnType<typeof accept>, unknown]>([
    ['the first accept makes it active', () => accept(ringing, 'b'), ['active', 'accept', { b: 'joined' }]],
    ['a second accept changes nothing', () => accept(active, 'b'), undefined],
    ['who was not called may join a group', () => accept(active, 'd'), ['active', 'accept', { d: 'joined' }]],
    ['one refusal of two leaves it ringing', () => decline(ringing, 'b'), ['ringing', 'decline', { b: 'declined' }]],
    [
      'the last refusal ends it',
      () => decline(call('ringing', { a: 'joined', b: 'declined', c: 'ringing' }), 'c'),
      ['declined', 'decline', { a: 'left', c: 'declined' }],
    ],
    ['a refusal while others talk ends nothing', () => decline(active, 'c'), ['active', 'decline', { c: 'declined' }]],
    [
      'hanging up before an answer cancels',
      () => end(ringing, 'a', false),
      ['cancelled', 'cancel', { a: 'left', b: 'missed', c: 'missed' }],
    ],
    [
      'the initiator ends it for all',
      () => end(active, 'a', false),
      ['ended', 'end', { a: 'left', b: 'left', c: 'missed' }],
    ],
    ['others leave a group', () => end(active, 'b', false), ['active', 'leave', { b: 'left' }]],
    [
      'either ends a direct call',
      () => end(call('active', { a: 'joined', b: 'joined' }), 'b', true),
      ['ended', 'end', { a: 'left', b: 'left' }],
    ],
    [
      'the last one ends a group call',
      () => end(call('active', { a: 'left', b: 'joined' }), 'b', false),
      ['ended', 'end', { b: 'left' }],
    ],
    ['hanging up twice changes nothing', () => end(over, 'a', false), undefined],
    ['hanging up while it rings is a refusal', () => end(active, 'c', false), ['active', 'decline', { c: 'declined' }]],
    ['nobody came', () => expire(ringing), ['missed', 'missed', { a: 'left', b: 'missed', c: 'missed' }]],
    ['some came', () => expire(active), ['active', 'missed', { c: 'missed' }]],
    ['it is over already', () => expire(over), undefined],
  ])('%s', (_, step, expected) => {
    expect(outcome(step())).toEqual(expected);
  });

  it.each<[string, () => unknown, string]>([
    ['joining what is over', () => accept(over, 'b'), 'invalid_state'],
    ['refusing what was joined', () => decline(active, 'b'), 'invalid_state'],
    ['refusing without having been called', () => decline(active, 'x'), 'not_found'],
    ['hanging up without having been called', () => end(active, 'x', false), 'not_found'],
    [
      'one participant too many',
      () => accept(call('active', Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`u${i}`, 'joined']))), 'x'),
      'limit_exceeded',
    ],
  ])('refuses %s', (_, step, code) => {
    expect(step).toThrow(expect.objectContaining({ code }));
  });
});
