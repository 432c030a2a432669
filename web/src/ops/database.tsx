import { Card, Loaded, Table } from './card.js';
import { bytes, count, milliseconds, momentOf, seconds, timeOf } from './format.js';
import { useResource } from './resource.js';
import type { Operator } from './session.js';
import { Figure } from './sockets.js';
import type { DatabaseUse } from './types.js';

const read = (operator: Operator) => operator.get<DatabaseUse>('/db/perf');
const MANY = 8;

export function DatabaseCard() {
  const use = useResource(read, 15_000);
  return (
    <Card id="database" title="Database" wide>
      <Loaded of={use}>
        {(data) => (
          <>
            <dl class="figures">
              <Figure name="Connections" value={`${data.pool.total - data.pool.idle} of ${data.pool.total} busy`} />
              <Figure name="Waiting for one" value={count(data.pool.waiting)} />
              <Figure name="Cache hits" value={`${count(data.cacheHitRate)} %`} />
              <Figure
                name="Last backup"
                value={data.lastBackupAt === null ? 'none known' : momentOf(data.lastBackupAt)}
              />
            </dl>
            <Slow rows={data.slowQueries} />
            <Waits {...data} />
            <Sizes {...data} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Slow({ rows }: { rows: DatabaseUse['slowQueries'] }) {
  return (
    <>
      <h3>Slow statements of this replica</h3>
      <Table
        label="Slow statements"
        rows={rows.slice(0, MANY)}
        keyOf={({ at, text }) => at + text}
        empty="None took more than a second."
        columns={[
          { head: 'Statement', cell: ({ text }) => <code class="clip statement">{text}</code> },
          { head: 'Took', figure: true, cell: ({ ms }) => milliseconds(ms) },
          { head: 'At', figure: true, cell: ({ at }) => timeOf(at) },
        ]}
      />
    </>
  );
}

function Waits({ locks, longTransactions }: DatabaseUse) {
  return (
    <div class="pair">
      <div>
        <h3>Waiting for locks</h3>
        <Table
          label="Lock waits"
          rows={locks}
          keyOf={({ pid, relation, mode }) => `${pid} ${relation} ${mode}`}
          empty="Nobody waits."
          columns={[
            { head: 'Process', cell: ({ pid, application }) => `${pid} ${application}` },
            { head: 'Behind', cell: ({ blockedBy }) => blockedBy.join(', ') },
            { head: 'For', cell: ({ relation, mode }) => `${relation ?? ''} ${mode}` },
            {
              head: 'Since',
              figure: true,
              cell: (lock) => (lock.seconds === null ? '' : seconds(Math.round(lock.seconds))),
            },
          ]}
        />
      </div>
      <div>
        <h3>Long transactions</h3>
        <Table
          label="Long transactions"
          rows={longTransactions}
          keyOf={({ pid }) => String(pid)}
          empty="None is open for more than 5 s."
          columns={[
            { head: 'Process', cell: ({ pid, application }) => `${pid} ${application}` },
            { head: 'State', cell: ({ state }) => state ?? '' },
            { head: 'Open', figure: true, cell: (transaction) => seconds(Math.round(transaction.seconds)) },
          ]}
        />
      </div>
    </div>
  );
}

function Sizes({ tables, advice }: DatabaseUse) {
  return (
    <div class="pair">
      <div>
        <h3>Largest tables</h3>
        <Table
          label="Largest tables"
          rows={tables.slice(0, MANY)}
          keyOf={({ table }) => table}
          empty="No tables."
          columns={[
            { head: 'Table', cell: ({ table }) => table },
            { head: 'Rows', figure: true, cell: ({ rows }) => count(rows) },
            { head: 'Dead', figure: true, cell: ({ deadRows }) => count(deadRows) },
            { head: 'Size', figure: true, cell: (table) => bytes(table.bytes) },
          ]}
        />
      </div>
      <div>
        <h3>Index advice</h3>
        <Table
          label="Index advice"
          rows={advice}
          keyOf={({ table, index, advice: kind }) => `${table} ${index} ${kind}`}
          empty="Nothing to say."
          columns={[
            { head: 'Where', cell: ({ table, index }) => index ?? table },
            {
              head: 'Advice',
              cell: ({ advice: kind, reason }) =>
                `${kind === 'missing' ? 'may need an index' : 'index unused'}: ${reason}`,
            },
          ]}
        />
      </div>
    </div>
  );
}
