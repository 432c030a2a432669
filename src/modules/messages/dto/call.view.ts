import { z } from 'zod';

const time = z.iso.datetime();

export const callMedia = z.enum(['audio', 'video']);
export const callState = z.enum(['ringing', 'active', 'ended', 'declined', 'missed', 'cancelled']);
export type CallState = z.output<typeof callState>;
export const participantState = z.enum(['ringing', 'joined', 'declined', 'left', 'missed']);
export type ParticipantState = z.output<typeof participantState>;

/** A call as every member sees it. */
export const callView = z.object({
  id: z.uuid(),
  conversationId: z.uuid(),
  seq: z.number().int(),
  media: callMedia,
  state: callState,
  initiatorId: z.uuid(),
  participants: z.array(
    z.object({ userId: z.uuid(), state: participantState, joinedAt: time.nullable(), leftAt: time.nullable() }),
  ),
  createdAt: time,
  answeredAt: time.nullable(),
  endedAt: time.nullable(),
  endReason: z.string().nullable(),
});
export type CallView = z.output<typeof callView>;

export interface ParticipantRow {
  userId: string;
  state: ParticipantState;
  joinedAt: Date | string | null;
  leftAt: Date | string | null;
}

/** A row of `call_logs` with its participants. Times are text where they came inside JSON. */
export interface CallRow {
  id: string;
  conversationId: string;
  seq: number;
  media: z.output<typeof callMedia>;
  state: CallState;
  initiatorId: string;
  participants: ParticipantRow[];
  createdAt: Date | string;
  answeredAt: Date | string | null;
  endedAt: Date | string | null;
  endReason: string | null;
}

const iso = (at: Date | string) => new Date(at).toISOString();
const isoOrNull = (at: Date | string | null) => (at === null ? null : iso(at));

export const toCallView = (row: CallRow): CallView => ({
  id: row.id,
  conversationId: row.conversationId,
  seq: row.seq,
  media: row.media,
  state: row.state,
  initiatorId: row.initiatorId,
  participants: row.participants.map(({ userId, state, joinedAt, leftAt }) => ({
    userId,
    state,
    joinedAt: isoOrNull(joinedAt),
    leftAt: isoOrNull(leftAt),
  })),
  createdAt: iso(row.createdAt),
  answeredAt: isoOrNull(row.answeredAt),
  endedAt: isoOrNull(row.endedAt),
  endReason: row.endReason,
});
