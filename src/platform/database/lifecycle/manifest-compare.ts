import type { Manifest, SchemaObject } from './manifest.js';

export type DifferenceKind = 'missing' | 'different' | 'extra' | 'renamed' | 'invalid' | 'rights';

/** One finding, in words for an operator. */
export interface Difference {
  /** e.g. `column users.email` */
  object: string;
  kind: DifferenceKind;
  expected: string;
  found: string;
  /** What to run: SQL or a `parley` command; '' when nothing needs doing. */
  command: string;
}

export interface Comparison {
  /** The schema must not serve. */
  fatal: Difference[];
  /** Warned about; moved to `fatal` by `drift: 'strict'`. */
  policy: Difference[];
  info: Difference[];
}

/** Compares by the severity table of the schema lifecycle. Structure first: another name alone is info. */
export function compareObjects(
  expected: SchemaObject[],
  live: SchemaObject[],
  options: { drift: 'warn' | 'strict' },
): Comparison {
  throw new Error(`not yet: ${expected.length} ${live.length} ${options.drift}`);
}

export interface AheadCheck {
  compatible: boolean;
  /** Why not; empty when compatible. */
  reasons: Difference[];
}

/** May this build serve on a newer schema? `minEpoch` is `lifecycle.meta.min_epoch`, 0 when there is none. */
export function checkAhead(manifest: Manifest, live: SchemaObject[], minEpoch: number): AheadCheck {
  throw new Error(`not yet: ${manifest.head} ${live.length} ${minEpoch}`);
}
