import type { Entry } from '../history.js';
import { access } from './access.js';
import { Evidence, type Invariant, type Violation } from './evidence.js';
import { density, prefix } from './feed.js';
import { durability, idempotency, noInvention } from './messages.js';
import { agreement, realTimeOrder, sessionOrder } from './order.js';
import { monotonicReads, unread, watermarks } from './reads.js';

export interface Limits {
  /** I13: how long repair may take after the last fault, in ms. The protocol says 6 s. */
  repairMs: number;
}

/** I13: after the last fault each connected device converges in time. */
const boundedRepair = ({ repairMs }: Limits): Invariant =>
  function* ({ converged }) {
    for (const { device, ms } of converged) {
      if (ms === null) yield `${device} never reached the heads`;
      else if (ms > repairMs) yield `${device} took ${Math.round(ms)} ms to reach the heads`;
    }
  };

const invariants = (limits: Limits): Record<string, Invariant> => ({
  I1: durability,
  I2: noInvention,
  I3: idempotency,
  I4: density,
  I5: prefix,
  I6: agreement,
  I7: sessionOrder,
  I8: realTimeOrder,
  I9: monotonicReads,
  I10: watermarks,
  I11: unread,
  I12: access,
  I13: boundedRepair(limits),
});

/** Everything in a history that contradicts I1 to I13. */
export function check(history: readonly Entry[], limits: Limits): Violation[] {
  const evidence = new Evidence(history);
  return Object.entries(invariants(limits)).flatMap(([invariant, decide]) =>
    [...decide(evidence)].map((message) => ({ invariant, message })),
  );
}
