/** What one entry of the audit log says; the hash covers all of it. */
export interface AuditFacts {
  id: string;
  at: Date;
  actorId: string | null;
  action: string;
  permission: string;
  targetType: string;
  targetId: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  requestId: string;
  ipHash: string;
}

/** The hash of the entry before the first. */
export const GENESIS = '';

/** Stands in the place of the hash before, when the end of the log was not what Parley left: no entry has it. */
export const BROKEN = '!';

/** What is signed to link an entry to the one before it. */
export function chainText(prevHash: string, facts: AuditFacts): string {
  const { id, at, actorId, action, permission, targetType, targetId, before, after, requestId, ipHash } = facts;
  return canonical([
    prevHash,
    id,
    at.toISOString(),
    actorId,
    action,
    permission,
    targetType,
    targetId,
    before,
    after,
    requestId,
    ipHash,
  ]);
}

/** What is signed to seal the end of the log. */
export const headText = (entries: number, hash: string): string => `${entries} ${hash}`;

/** JSON with sorted members: the database gives them back in an order of its own. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** The id that follows at least one step after the last one: the chain is walked in the order of ids, whatever clocks say. */
export function idAfter(last: string | null, fresh: string): string {
  if (last === null || fresh > last) return fresh;
  const hex = (BigInt(`0x${last.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const secret = /password|token|secret|hash|code/i;
const personal = /^(email|phone|identifier)$/;

/** A snapshot without what an audit log must not keep: secrets go, addresses are only recognisable. */
export function redact(snapshot: Record<string, unknown> | null | undefined): Record<string, unknown> | null {
  if (!snapshot) return null;
  const plain = JSON.parse(JSON.stringify(snapshot)) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, redactMember(name, value)]));
}

function redactMember(name: string, value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (secret.test(name)) return '[redacted]';
  if (personal.test(name) && typeof value === 'string') return mask(value);
  if (typeof value === 'object' && !Array.isArray(value)) return redact(value as Record<string, unknown>);
  return value;
}

const mask = (address: string): string => {
  const [name = '', domain] = address.split('@');
  return domain === undefined ? `…${name.slice(-2)}` : `${name.slice(0, 1)}…@${domain}`;
};
