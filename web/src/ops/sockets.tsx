import { Card, Loaded, Table } from './card.js';
import { bytes, count, shortId } from './format.js';
import { useResource } from './resource.js';
import type { Operator } from './session.js';
import type { SocketStats } from './types.js';

const read = (operator: Operator) => operator.get<SocketStats>('/websocket/stats');

export function SocketCard() {
  const stats = useResource(read, 5000);
  return (
    <Card id="sockets" title="Sockets">
      <Loaded of={stats}>
        {({ total, replicas }) => (
          <>
            <dl class="figures">
              <Figure name="Connections" value={count(total.connections)} />
              <Figure name="Users" value={count(total.users)} />
              <Figure name="Rooms" value={count(total.rooms)} />
              <Figure name="Events per s" value={count(total.eventsPerSec)} />
              <Figure name="Unsent" value={bytes(total.bufferBytes)} />
            </dl>
            {replicas.length > 1 && (
              <Table
                label="Sockets by replica"
                rows={replicas}
                keyOf={({ replicaId }) => replicaId}
                empty=""
                columns={[
                  { head: 'Replica', cell: ({ replicaId }) => shortId(replicaId) },
                  { head: 'Connections', figure: true, cell: ({ connections }) => count(connections) },
                  { head: 'Events per s', figure: true, cell: ({ eventsPerSec }) => count(eventsPerSec) },
                  { head: 'Unsent', figure: true, cell: ({ bufferBytes }) => bytes(bufferBytes) },
                ]}
              />
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

export function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
