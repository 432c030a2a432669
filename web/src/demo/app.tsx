import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { announce } from '../ui/live-region.js';
import { useMedia } from '../ui/store.js';
import { Header } from './header.js';
import { Pane } from './pane.js';
import { People } from './people.js';
import { Proof } from './proof.js';
import { Tabs } from './tabs.js';
import { enterWorld, type World } from './world.js';

export function App() {
  const [world, setWorld] = useState<World>();
  const [progress, setProgress] = useState('Waking everybody up …');
  const [problem, setProblem] = useState('');
  useEffect(() => {
    enterWorld(setProgress).then(setWorld, (error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  if (problem) return <Failed text={problem} />;
  return world ? <Windows world={world} /> : <Loading text={progress} />;
}

const PROOF = -1;

/** Side by side where there is room, else one at a time behind tabs. */
function Windows({ world }: { world: World }) {
  const { people } = world;
  const [open, setOpen] = useState<readonly number[]>([0, 1]);
  const [active, setActive] = useState(0);
  const [tab, setTab] = useState(0);
  const [isProofShown, setProofShown] = useState(true);
  const isNarrow = useMedia('(max-width: 760px)');
  const byId = useMemo(() => new Map(people.map((person) => [person.id, person])), [people]);
  const shown = open.flatMap((i) => people[i] ?? []);
  const activePerson = people[active] ?? people[0];
  useConnections(people);
  if (!activePerson) return null;
  return (
    <People.Provider value={byId}>
      <div class={`desk ${isNarrow ? 'narrow' : ''}`}>
        <Header
          world={world}
          closed={people.filter((_, i) => !open.includes(i))}
          onAdd={(person) => {
            const i = people.indexOf(person);
            setOpen([...open, i].sort((a, b) => a - b));
            setTab(i);
          }}
          isProofShown={isProofShown}
          onProof={isNarrow ? undefined : () => setProofShown(!isProofShown)}
        />
        {isNarrow && (
          <Tabs
            tabs={[
              ...open.flatMap((i) => {
                const person = people[i];
                return person ? [{ id: i, label: person.firstName, person, panel: `pane-${i}` }] : [];
              }),
              { id: PROOF, label: 'Break it', panel: 'proof' },
            ]}
            current={tab}
            onChoose={(id) => {
              setTab(id);
              if (id !== PROOF) setActive(id);
            }}
          />
        )}
        <main class="windows">
          {open.map((i) => {
            const person = people[i];
            if (!person) return null;
            return (
              <Pane
                key={person.id}
                id={`pane-${i}`}
                person={person}
                first="Opening week"
                isShown={!isNarrow || tab === i}
                onFocus={() => setActive(i)}
                onClose={
                  open.length > 1 && !isNarrow
                    ? () => {
                        setOpen(open.filter((one) => one !== i));
                        if (active === i) setActive(open.find((one) => one !== i) ?? 0);
                      }
                    : undefined
                }
              />
            );
          })}
          <Proof id="proof" people={shown} active={activePerson} hidden={isNarrow ? tab !== PROOF : !isProofShown} />
        </main>
      </div>
    </People.Provider>
  );
}

/** Everybody of the world is connected, also who has no window open: messages reach them all the same. */
function useConnections(people: World['people']): void {
  useEffect(() => {
    const stops = people.flatMap((person) => {
      person.parley.connect().catch(() => undefined);
      return person.parley.on('message', ({ conversation, message }) => {
        const sender = people.find(({ id }) => id === message.senderId);
        if (sender && conversation.id === person.openId && message.body)
          announce(`${sender.firstName} to ${person.firstName}: ${message.body}`);
      });
    });
    return () => stops.forEach((stop) => stop());
  }, [people]);
}

function Loading({ text }: { text: string }) {
  return (
    <main class="loading" aria-busy="true">
      <span class="loading-mark" aria-hidden="true" />
      <h1>Parley</h1>
      <p role="status">{text}</p>
    </main>
  );
}

function Failed({ text }: { text: string }) {
  return (
    <main class="loading" role="alert">
      <h1>Nobody is here</h1>
      <p>{text}</p>
      <Button kind="primary" onClick={() => location.reload()}>
        Try again
      </Button>
    </main>
  );
}
