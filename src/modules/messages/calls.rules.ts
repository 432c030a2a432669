import { invalidState } from '../../platform/errors/domain-error.js';
import type { CallRow, CallState, ParticipantState } from './dto/call.view.js';
import { limitExceeded, notFound } from './messages.errors.js';

export const RING_MS = 45_000;
export const MAX_PARTICIPANTS = 50;

export type CallAction = 'ring' | 'accept' | 'decline' | 'leave' | 'end' | 'missed' | 'cancel';

/** What becomes of a call: the new states, and what the participants' devices are told. */
export interface Transition {
  state: CallState;
  /** Only those that change. */
  participants: Map<string, ParticipantState>;
  action: CallAction;
  endReason: string | null;
}

type Call = Pick<CallRow, 'state' | 'initiatorId' | 'participants'>;

export const isRunning = ({ state }: Pick<CallRow, 'state'>): boolean => state === 'ringing' || state === 'active';
const stateOf = (call: Call, userId: string): ParticipantState | undefined =>
  call.participants.find((p) => p.userId === userId)?.state;
const others = (call: Call, userId: string, ...states: ParticipantState[]) =>
  call.participants.filter((p) => p.userId !== userId && states.includes(p.state));

/** Somebody joins. In a group anyone may, also after the ringing. Undefined when they are there. */
export function accept(call: Call, userId: string): Transition | undefined {
  const present = stateOf(call, userId);
  if (!isRunning(call)) throw invalidState(`The call is ${call.state}`);
  if (present === 'joined') return undefined;
  if (present === undefined && call.participants.length >= MAX_PARTICIPANTS)
    throw limitExceeded('participants', MAX_PARTICIPANTS);
  return { state: 'active', participants: new Map([[userId, 'joined']]), action: 'accept', endReason: null };
}

/** Somebody refuses; when the last of those called does, the call is over. */
export function decline(call: Call, userId: string): Transition | undefined {
  const present = stateOf(call, userId);
  if (present === undefined) throw notFound();
  if (present === 'declined') return undefined;
  if (!isRunning(call) || present === 'joined' || present === 'left') throw invalidState(`The call is ${call.state}`);
  const refused =
    call.state === 'ringing' && others(call, userId, 'ringing', 'joined').every((p) => p.userId === call.initiatorId);
  return refused
    ? over(call, 'declined', 'decline', 'declined', [userId, 'declined'])
    : { state: call.state, participants: new Map([[userId, 'declined']]), action: 'decline', endReason: null };
}

/** Hangs up: the initiator for all, in a direct call either of both, in a group oneself and the last one the call. */
export function end(call: Call, userId: string, direct: boolean): Transition | undefined {
  const present = stateOf(call, userId);
  if (present === undefined) throw notFound();
  if (!isRunning(call) || present === 'left') return undefined;
  if (present === 'ringing') return decline(call, userId);
  if (userId === call.initiatorId && call.state === 'ringing') return over(call, 'cancelled', 'cancel', 'cancelled');
  if (userId === call.initiatorId) return over(call, 'ended', 'end', 'initiator_ended');
  if (present !== 'joined') throw invalidState('Not in the call');
  if (direct || others(call, userId, 'joined').length === 0) return over(call, 'ended', 'end', 'hung_up');
  return { state: call.state, participants: new Map([[userId, 'left']]), action: 'leave', endReason: null };
}

/** The ringing is over: for the call when nobody came, else for those who did not. */
export function expire(call: Call): Transition | undefined {
  if (call.state === 'ringing') return over(call, 'missed', 'missed', 'no_answer');
  const missing = call.state === 'active' ? others(call, '', 'ringing') : [];
  if (missing.length === 0) return undefined;
  return {
    state: 'active',
    participants: new Map(missing.map((p) => [p.userId, 'missed'])),
    action: 'missed',
    endReason: null,
  };
}

/** Whoever was in it has left, whoever was called has missed it. */
function over(
  call: Call,
  state: CallState,
  action: CallAction,
  endReason: string,
  ...own: [string, ParticipantState][]
): Transition {
  const participants = new Map<string, ParticipantState>();
  for (const p of call.participants) {
    if (p.state === 'joined') participants.set(p.userId, 'left');
    else if (p.state === 'ringing') participants.set(p.userId, 'missed');
  }
  for (const [userId, its] of own) participants.set(userId, its);
  return { state, participants, action, endReason };
}
