import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { announce } from '../ui/live-region.js';
import { Card, Loaded, Table } from './card.js';
import { count, momentOf, seconds } from './format.js';
import { useOperator, useResource } from './resource.js';
import { type Operator, ParleyError } from './session.js';
import type { DeadLetter, Page, QueueDepth } from './types.js';

const readQueues = (operator: Operator) => operator.get<Page<QueueDepth>>('/admin/queues');
const readLetters = (operator: Operator) => operator.get<Page<DeadLetter>>('/admin/dead-letters?limit=20');

export function Queues() {
  const queues = useResource(readQueues, 5000);
  return (
    <Card id="queues" title="Queues">
      <Loaded of={queues}>
        {({ items }) => (
          <Table
            label="Queues"
            rows={items}
            keyOf={({ queue }) => queue}
            empty="Nothing waits."
            columns={[
              { head: 'Queue', cell: ({ queue }) => queue },
              { head: 'Waiting', figure: true, cell: ({ waiting }) => count(waiting) },
              { head: 'Later', figure: true, minor: true, cell: ({ later }) => count(later) },
              { head: 'Oldest', figure: true, cell: ({ oldestSeconds }) => seconds(Math.round(oldestSeconds)) },
              { head: 'Given up', figure: true, cell: ({ deadLetters }) => count(deadLetters) },
            ]}
          />
        )}
      </Loaded>
      <DeadLetters />
    </Card>
  );
}

/** Work that was given up, to be tried once more or thrown away. */
function DeadLetters() {
  const operator = useOperator();
  const letters = useResource(readLetters, 10_000);
  const [leaving, setLeaving] = useState<DeadLetter>();
  const [fault, setFault] = useState<string>();

  const act = async (done: string, work: () => Promise<unknown>) => {
    try {
      await work();
      setFault(undefined);
      announce(done);
      letters.refresh();
    } catch (error) {
      setFault(error instanceof ParleyError ? error.problem.detail : String(error));
    }
  };
  const path = ({ id }: DeadLetter) => `/admin/dead-letters/${id}`;

  return (
    <>
      <h3>Dead letters</h3>
      {fault !== undefined && (
        <p class="notice bad" role="alert">
          {fault}
        </p>
      )}
      <Loaded of={letters}>
        {({ items }) => (
          <Table
            label="Dead letters"
            rows={items.filter(({ replayedAt }) => replayedAt === null)}
            keyOf={({ id }) => id}
            empty="Nothing was given up."
            columns={[
              { head: 'Work', cell: ({ topic }) => topic },
              { head: 'Why', minor: true, cell: ({ reason }) => <span class="clip">{reason}</span> },
              { head: 'Since', figure: true, cell: ({ createdAt }) => momentOf(createdAt) },
              {
                head: 'Actions',
                figure: true,
                cell: (letter) => (
                  <span class="row-actions">
                    <Button
                      aria-label={`Replay ${letter.topic}`}
                      onClick={() => void act('Replayed', () => operator.post(`${path(letter)}/replay`))}
                    >
                      Replay
                    </Button>
                    <Button kind="danger" aria-label={`Delete ${letter.topic}`} onClick={() => setLeaving(letter)}>
                      Delete
                    </Button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {leaving && (
        <Dialog title="Delete this work for good?" onClose={() => setLeaving(undefined)}>
          <p>
            {leaving.topic}, given up {momentOf(leaving.createdAt)} after {leaving.attempts} attempts. It will never be
            done.
          </p>
          <div class="dialog-actions">
            <Button onClick={() => setLeaving(undefined)}>Keep it</Button>
            <Button
              kind="danger"
              onClick={() => {
                setLeaving(undefined);
                void act('Deleted', () => operator.delete(path(leaving)));
              }}
            >
              Delete
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
