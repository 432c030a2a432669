import { z } from 'zod';
import { authResultView } from '../../users/dto/session.view.js';

/** A few people who know each other and nobody else, each signed in. */
export const worldView = z.object({
  id: z.string(),
  /** True when they were made just now, and have not said a word yet. */
  created: z.boolean(),
  people: z.array(authResultView),
});
export type WorldView = z.output<typeof worldView>;

export const chaosView = z.object({
  /** Whether every second hint between and inside replicas is lost. */
  loseHints: z.boolean(),
  /** Hints lost, and changes that reached a room by reading what was missed, since this replica started. */
  hintsLost: z.number().int(),
  changesRepaired: z.number().int(),
  /** Whether somebody starts this process again when it is killed. */
  restartable: z.boolean(),
});
export type ChaosView = z.output<typeof chaosView>;
