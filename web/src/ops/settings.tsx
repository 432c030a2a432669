import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { announce } from '../ui/live-region.js';
import { Card, Loaded } from './card.js';
import { metrics, textOf } from './format.js';
import { type Resource, useOperator } from './resource.js';
import { type Operator, ParleyError } from './session.js';
import { metricNames, type Settings, type Threshold } from './types.js';

const PATH = '/system-health/settings';
export const readSettings = (operator: Operator) => operator.get<Settings>(PATH);

const whole = [
  { name: 'refreshInterval', label: 'Sample every (ms)', min: 1000, max: 3_600_000 },
  { name: 'metricsRetentionDays', label: 'Keep samples (days)', min: 1, max: 3650 },
  { name: 'aggregateRetentionDays', label: 'Keep days (days)', min: 1, max: 3650 },
] as const;

/** Thresholds and retention. What somebody else saved meanwhile is not overwritten. */
export function SettingsCard({ settings }: { settings: Resource<Settings> }) {
  return (
    <Card id="settings" title="Thresholds and retention" wide>
      <Loaded of={settings}>
        {(data) => <Editor key={data.updatedAt} settings={data} refresh={settings.refresh} />}
      </Loaded>
    </Card>
  );
}

function Editor({ settings, refresh }: { settings: Settings; refresh: () => void }) {
  const operator = useOperator();
  const form = useRef<HTMLFormElement>(null);
  const [changed, setChanged] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  useEffect(() => setChanged(false), [settings]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!form.current) return;
    setBusy(true);
    try {
      await operator.replace<Settings>(PATH, readForm(new FormData(form.current)));
      setFault(undefined);
      announce('Saved');
      refresh();
    } catch (error) {
      setFault(explain(error));
    }
    setBusy(false);
  };

  return (
    <form ref={form} onInput={() => setChanged(true)} onSubmit={(event) => void submit(event)}>
      <div class="thresholds">
        {metricNames.map((name) => (
          <Pair key={name} name={name} threshold={settings.thresholds[name]} />
        ))}
      </div>
      <div class="thresholds">
        {whole.map(({ name, label, min, max }) => (
          <label key={name}>
            {label}
            <input class="field" type="number" name={name} defaultValue={settings[name]} min={min} max={max} required />
          </label>
        ))}
        <label>
          Backup location
          <input class="field" name="backupLocation" defaultValue={settings.backupLocation} maxLength={255} required />
        </label>
      </div>
      {fault !== undefined && (
        <p class="notice bad" role="alert">
          {fault}
        </p>
      )}
      <div class="form-actions">
        <Button type="submit" kind="primary" disabled={!changed || busy}>
          Save
        </Button>
        <Button
          disabled={!changed || busy}
          onClick={() => {
            form.current?.reset();
            setChanged(false);
            setFault(undefined);
            refresh();
          }}
        >
          Take back
        </Button>
      </div>
    </form>
  );
}

function Pair({ name, threshold }: { name: (typeof metricNames)[number]; threshold: Threshold }) {
  const { label, unit, lowerIsWorse } = metrics[name];
  return (
    <fieldset>
      <legend>
        {label} {unit !== '' && <span class="muted">{unit}</span>}
        {lowerIsWorse && <span class="muted small"> (lower is worse)</span>}
      </legend>
      {(['warning', 'critical'] as const).map((level) => (
        <label key={level}>
          <span class={`small ${level}`}>{level}</span>
          <input
            class="field"
            type="number"
            step="any"
            min="0"
            name={`${name}.${level}`}
            defaultValue={threshold[level]}
            required
          />
        </label>
      ))}
    </fieldset>
  );
}

function readForm(form: FormData): Omit<Settings, 'updatedAt'> {
  const figure = (name: string) => Number(form.get(name));
  const threshold = (name: string): Threshold => ({
    warning: figure(`${name}.warning`),
    critical: figure(`${name}.critical`),
  });
  return {
    thresholds: Object.fromEntries(metricNames.map((name) => [name, threshold(name)])) as Settings['thresholds'],
    backupLocation: textOf(form, 'backupLocation'),
    refreshInterval: figure('refreshInterval'),
    metricsRetentionDays: figure('metricsRetentionDays'),
    aggregateRetentionDays: figure('aggregateRetentionDays'),
  };
}

function explain(error: unknown): string {
  if (!(error instanceof ParleyError)) return String(error);
  if (error.code === 'precondition_failed')
    return 'Somebody else has changed the settings meanwhile. Take back, and look at theirs first.';
  return error.problem.errors?.map(({ path, message }) => `${path}: ${message}`).join('. ') || error.problem.detail;
}
