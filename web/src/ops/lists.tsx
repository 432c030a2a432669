import { Card, Loaded, Table } from './card.js';
import { count, momentOf, shortId, timeOf } from './format.js';
import { useResource } from './resource.js';
import type { Operator } from './session.js';
import type { AuditEntry, Page, Violation } from './types.js';

const readViolations = (operator: Operator) =>
  operator.get<Page<Violation>>('/system-health/rate-limit-violations?limit=10');
const readAudit = (operator: Operator) => operator.get<Page<AuditEntry>>('/admin/audit-logs?limit=15');

/** Who met a rate limit; callers are recognisable, not readable. */
export function Violations() {
  const violations = useResource(readViolations, 15_000);
  return (
    <Card id="violations" title="Rate-limit violations">
      <Loaded of={violations}>
        {({ items }) => (
          <Table
            label="Rate-limit violations"
            rows={items}
            keyOf={({ id }) => id}
            empty="Nobody was refused."
            columns={[
              { head: 'Rule', cell: ({ rule }) => rule },
              { head: 'Where', cell: ({ route }) => <span class="clip">{route}</span> },
              { head: 'Caller', minor: true, cell: ({ keyHash }) => <code>{keyHash.slice(0, 8)}</code> },
              { head: 'Times', figure: true, cell: (violation) => count(violation.count) },
              { head: 'Minute', figure: true, cell: ({ at }) => momentOf(at) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** What privileged people did last. */
export function Audit() {
  const audit = useResource(readAudit, 15_000);
  return (
    <Card id="audit" title="Audit log">
      <Loaded of={audit}>
        {({ items }) => (
          <Table
            label="Audit log"
            rows={items}
            keyOf={({ id }) => id}
            empty="Nothing has been done yet."
            columns={[
              { head: 'Action', cell: ({ action }) => action },
              {
                head: 'On',
                cell: ({ targetType, targetId }) => `${targetType} ${targetId === null ? '' : shortId(targetId)}`,
              },
              { head: 'By', minor: true, cell: ({ actorId }) => (actorId === null ? 'Parley' : shortId(actorId)) },
              {
                head: 'At',
                figure: true,
                cell: ({ at }) => <span title={at}>{`${momentOf(at)}:${timeOf(at).slice(-2)}`}</span>,
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
