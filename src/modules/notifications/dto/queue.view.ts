import { z } from 'zod';
import type { DeadLetter } from '../../../platform/queue/dead-letters.repository.js';

const time = z.iso.datetime();
const count = z.number().int();

export const queuesView = z.object({
  items: z.array(
    z.object({ queue: z.string(), waiting: count, later: count, oldestSeconds: z.number(), deadLetters: count }),
  ),
});

export const deadLetterView = z.object({
  id: z.uuid(),
  queue: z.string(),
  topic: z.string(),
  payload: z.record(z.string(), z.unknown()),
  reason: z.string(),
  attempts: count,
  createdAt: time,
  replayedAt: time.nullable(),
});
export type DeadLetterView = z.output<typeof deadLetterView>;

export const replayedView = z.object({ jobs: count });

export const toDeadLetterView = (letter: DeadLetter): DeadLetterView => ({
  id: letter.id,
  queue: letter.queue,
  topic: letter.topic,
  payload: letter.payload,
  reason: letter.reason,
  attempts: letter.attempts,
  createdAt: letter.createdAt.toISOString(),
  replayedAt: letter.replayedAt?.toISOString() ?? null,
});
