import type { Row } from '../history.js';
import { type Attempt, type Evidence, groupBy, type Invariant } from './evidence.js';

interface Version {
  rev: number;
  active: boolean;
}

/** Every state of every membership that anybody was shown, by conversation and user, ascending. */
function memberships(evidence: Evidence): Map<string, Version[]> {
  const found = new Map<string, Map<number, Version>>();
  const note = (c: string, user: string, rev: number, state: string): void => {
    const versions = found.get(`${c} ${user}`) ?? new Map<number, Version>();
    found.set(`${c} ${user}`, versions.set(rev, { rev, active: state === 'active' }));
  };
  for (const { c, row } of evidence.shown()) if (isMember(row)) note(c, row.user, row.rev, row.state);
  for (const { c, members } of evidence.tables.values()) for (const m of members) note(c, m.user, m.rev, m.state);
  return new Map([...found].map(([key, versions]) => [key, [...versions.values()].toSorted((a, b) => a.rev - b.rev)]));
}

const isMember = (row: Row): row is Row & { user: string; state: string } =>
  row.t === 'member' && row.user !== undefined && row.state !== undefined;

/** The membership in force just before a rev. */
const at = (versions: readonly Version[], rev: number): Version | undefined =>
  versions.findLast((version) => version.rev < rev);

/**
 * Whether somebody may have been let in again by then: an attempt to add them was under way after the last one to remove them
 * began. A replica that repairs a gap then finds them a member, and no row of the removal in between.
 */
function returns(evidence: Evidence): (c: string, user: string, t: number) => boolean {
  const moves = groupBy(
    evidence.attempts.filter(({ invoke: { op } }) => op === 'add' || op === 'remove'),
    ({ invoke: { c, target, user } }) => `${c} ${target ?? user}`,
  );
  return (c, user, t) => {
    const before = moves.get(`${c} ${user}`)?.filter(({ invoke }) => invoke.t < t) ?? [];
    const removed = before.findLast(({ invoke }) => invoke.op === 'remove')?.invoke.t ?? -Infinity;
    const end = ({ outcome }: Attempt) => (outcome?.k === 'ok' || outcome?.k === 'fail' ? outcome.t : Infinity);
    return before.some((attempt) => attempt.invoke.op === 'add' && end(attempt) > removed);
  };
}

/**
 * I12: no change with rev above the removal reaches the removed user, no row below visibleFromSeq reaches a later member,
 * and a removed user's send draws no number.
 */
export const access: Invariant = function* (evidence) {
  const timeline = memberships(evidence);
  const isBack = returns(evidence);
  for (const { t, device, user, c, row } of evidence.live) {
    // A `void` shows nothing: who is back by the time a gap is repaired gets it for what happened while away.
    if (c === 'user' || row.t === 'void') continue;
    const version = at(timeline.get(`${c} ${user}`) ?? [], row.rev);
    const joins = row.user === user && row.state === 'active';
    if (version && !version.active && !joins && row.rev > version.rev && !isBack(c, user, t)) {
      yield `${device} was told rev ${row.rev} of ${c}, which its user had left at ${version.rev}`;
    }
  }
  const known = groupBy([...evidence.pages, ...evidence.finals], ({ user, c }) => `${c} ${user}`);
  // The lowest ever told: somebody who came back sees less than before.
  const firstVisible = new Map(
    [...known].map(([key, reads]) => [key, Math.min(...reads.map(({ me }) => me.visibleFromSeq))]),
  );
  for (const { device, user, c, row } of evidence.shown()) {
    const first = firstVisible.get(`${c} ${user}`);
    if (row.seq !== undefined && first !== undefined && row.seq < first)
      yield `${device} was shown seq ${row.seq} of ${c}, visible from ${first} on`;
  }
  for (const { device, c, me, rows } of evidence.pages) {
    const hidden = rows.find(({ seq }) => seq !== undefined && seq < me.visibleFromSeq);
    if (hidden) yield `a page of ${c} shows ${device} seq ${hidden.seq}, visible from ${me.visibleFromSeq} on`;
  }
  for (const { invoke, ok } of evidence.ackedSends) {
    if (ok.deduplicated || ok.rev === undefined) continue;
    const version = at(timeline.get(`${invoke.c} ${invoke.user}`) ?? [], ok.rev);
    if (version && !version.active)
      yield `${invoke.user} had left ${invoke.c} at rev ${version.rev}, and sent ${ok.seq} at ${ok.rev}`;
  }
};
