import { useState } from 'preact/hooks';
import { Card, Loaded, Table } from './card.js';
import { count, momentOf } from './format.js';
import { useResource } from './resource.js';
import type { Operator } from './session.js';
import { State } from './state.js';
import type { LoadReport, Page } from './types.js';

const read = (operator: Operator) => operator.get<Page<LoadReport>>('/system-health/load-test-reports?limit=20');
/** A difference below it is chance. */
const NOTICEABLE = 0.05;
/** Of these figures more is better; of all others less. */
const moreIsBetter = /throughput|perSecond|rps|rate(?!.*error)|requests|messages/i;

/** Two load tests side by side. */
export function LoadReports() {
  const reports = useResource(read, 60_000);
  return (
    <Card id="load" title="Load tests">
      <Loaded of={reports}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="muted">No report yet. `parley loadtest` stores them.</p>
          ) : (
            <Comparison reports={items} />
          )
        }
      </Loaded>
    </Card>
  );
}

function Comparison({ reports }: { reports: readonly LoadReport[] }) {
  const [newerId, setNewer] = useState(reports[0]?.id);
  const [olderId, setOlder] = useState((reports[1] ?? reports[0])?.id);
  const [newer, older] = [newerId, olderId].map((id) => reports.find((report) => report.id === id) ?? reports[0]);
  if (!newer || !older) return null;
  const names = Object.keys(newer.summary).filter(
    (name) => typeof newer.summary[name] === 'number' && typeof older.summary[name] === 'number',
  );
  const figure = (report: LoadReport, name: string) => Number(report.summary[name]);
  return (
    <>
      <div class="pair">
        <Choice label="Report" reports={reports} value={newer.id} onChange={setNewer} />
        <Choice label="Compared with" reports={reports} value={older.id} onChange={setOlder} />
      </div>
      <Table
        label="Comparison of two load tests"
        rows={names}
        keyOf={(name) => name}
        empty="The two have no figure in common."
        columns={[
          { head: 'Figure', cell: (name) => name },
          { head: 'Report', figure: true, cell: (name) => count(figure(newer, name)) },
          { head: 'Before', figure: true, minor: true, cell: (name) => count(figure(older, name)) },
          {
            head: 'Change',
            figure: true,
            cell: (name) => <Change name={name} now={figure(newer, name)} before={figure(older, name)} />,
          },
        ]}
      />
    </>
  );
}

function Change({ name, now, before }: { name: string; now: number; before: number }) {
  if (before === 0) return now === 0 ? <>same</> : <>new</>;
  const share = (now - before) / Math.abs(before);
  const text = `${share > 0 ? '+' : ''}${count(share * 100)} %`;
  if (Math.abs(share) < NOTICEABLE) return <span class="muted">{text}</span>;
  return <State level={share > 0 === moreIsBetter.test(name) ? 'ok' : 'bad'}>{text}</State>;
}

interface ChoiceProps {
  label: string;
  reports: readonly LoadReport[];
  value: string;
  onChange: (id: string) => void;
}

function Choice({ label, reports, value, onChange }: ChoiceProps) {
  return (
    <label>
      {label}
      <select class="field" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {reports.map(({ id, name, version, finishedAt }) => (
          <option key={id} value={id}>
            {`${name}, ${version}, ${momentOf(finishedAt)}`}
          </option>
        ))}
      </select>
    </label>
  );
}
