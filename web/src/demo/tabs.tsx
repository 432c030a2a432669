import { useStore } from '../ui/store.js';
import type { Person } from './person.js';

interface Tab {
  id: number;
  label: string;
  /** The id of what it shows. */
  panel: string;
  person?: Person;
}

interface Props {
  tabs: readonly Tab[];
  current: number;
  onChoose: (id: number) => void;
}

/** One stop of the Tab key; the arrows choose (WAI-ARIA, tabs). */
export function Tabs({ tabs, current, onChoose }: Props) {
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex(({ id }) => id === current);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onChoose(next.id);
    document.getElementById(`tab-${next.panel}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Windows" onKeyDown={move}>
      {tabs.map(({ id, label, panel, person }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${panel}`}
          aria-selected={id === current}
          aria-controls={panel}
          tabIndex={id === current ? 0 : -1}
          onClick={() => onChoose(id)}
        >
          {label}
          {person && <Unread person={person} />}
        </button>
      ))}
    </div>
  );
}

function Unread({ person }: { person: Person }) {
  useStore(person.subscribe, person.snapshot);
  return person.unread > 0 ? (
    <span class="badge">
      {person.unread}
      <span class="hidden-visually"> unread</span>
    </span>
  ) : null;
}
