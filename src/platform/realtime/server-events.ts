import { z } from 'zod';

const id = z.uuid();
const rev = z.int();

/** One event that the server sends: name, when, and what it carries. */
export interface ServerEvent {
  event: string;
  summary: string;
  payload: z.ZodType;
}

/** Everything a client may receive. Views inside `v` are those of the REST objects of the same name. */
export const serverEvents: readonly ServerEvent[] = [
  {
    event: 'ready',
    summary: 'Once, after the rooms are joined: call sync now',
    payload: z.object({
      epoch: id,
      userId: id,
      deviceId: z.string(),
      sessionId: id,
      replicaId: id,
      protocol: z.int(),
      serverTime: z.iso.datetime(),
      userRev: rev,
      limits: z.record(z.string(), z.number()),
      intervals: z.record(z.string(), z.number()),
    }),
  },
  {
    event: 'change',
    summary: 'Takes a conversation from `from` to `rev`',
    payload: z.object({
      c: id,
      rev,
      from: rev,
      t: z.enum(['message', 'member', 'conversation', 'thread', 'void']),
      v: z.unknown(),
    }),
  },
  {
    event: 'user.change',
    summary: 'Takes the user feed from `from` to `rev`',
    payload: z.object({
      rev,
      from: rev,
      t: z.enum([
        'membership',
        'profile',
        'preferences',
        'contact',
        'block',
        'draft',
        'scheduled',
        'notification',
        'device',
      ]),
      v: z.unknown(),
    }),
  },
  {
    event: 'receipts',
    summary: 'Hint: [conversation, user, delivered, read], merged with max',
    payload: z.array(z.tuple([id, id, rev, rev])),
  },
  {
    event: 'typing',
    summary: 'Volatile: somebody types',
    payload: z.object({ c: id, userId: id, threadId: id.nullable(), ttlMs: z.int() }),
  },
  {
    event: 'presence',
    summary: 'Volatile: [user, state, lastSeen, ver]; a lower ver is dropped',
    payload: z.array(z.tuple([id, z.enum(['active', 'idle', 'dnd', 'offline']), z.iso.datetime().nullable(), z.int()])),
  },
  {
    event: 'heads',
    summary: 'Hint: rooms that moved; any value above mine asks for changes',
    payload: z.record(id, rev),
  },
  {
    event: 'call',
    summary: 'Hint: a call rings, is answered or ends; the message change is the record',
    payload: z.object({
      callId: id,
      c: id,
      seq: rev,
      action: z.enum(['ring', 'accept', 'decline', 'leave', 'end', 'missed', 'cancel']),
      state: z.string(),
      userId: id.nullable(),
      deviceId: z.string().nullable(),
    }),
  },
  {
    event: 'call.signal',
    summary: 'Volatile: opaque data of another participant',
    payload: z.object({ callId: id, from: z.object({ userId: id, deviceId: z.string() }), data: z.unknown() }),
  },
  {
    event: 'server.draining',
    summary: 'This replica stops: come back after the given time',
    payload: z.object({ reconnectAfterMs: z.int() }),
  },
  {
    event: 'session.revoked',
    summary: 'Then the namespace disconnects: refresh or sign in',
    payload: z.object({
      reason: z.enum(['token_expired', 'revoked', 'refresh_reused', 'suspended', 'deleted', 'password_changed']),
    }),
  },
];
