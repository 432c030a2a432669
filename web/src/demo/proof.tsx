import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from '../ui/icon.js';
import { useStore } from '../ui/store.js';
import { killServer, sendFiveTimes, talk, useLoss } from './chaos.js';
import { useJournal } from './journal.js';
import type { Person } from './person.js';
import { clockOf } from './time.js';

interface Props {
  people: readonly Person[];
  /** Whose window was used last. */
  active: Person;
  id: string;
  hidden: boolean;
}

/** Buttons that break something real, and what the clients saw of it. */
export function Proof({ people, active, id, hidden }: Props) {
  useStore(active.subscribe, active.snapshot);
  const loss = useLoss(people);
  const { isCut } = active.wire;
  return (
    <aside class="proof" id={id} hidden={hidden} aria-label="Break it">
      <section>
        <h2>Break it</h2>
        <p class="about">Nothing here is pretended: each button breaks something real.</p>
        <div class="breaks">
          <Break
            icon="cut"
            title={isCut ? `Reconnect ${active.firstName}` : `Cut ${active.firstName}’s network`}
            isOn={isCut}
            onClick={() => (isCut ? active.mend() : active.cut())}
          >
            Write meanwhile. It waits, and goes out once.
          </Break>
          <Break
            icon="leak"
            title="Lose every second message"
            isOn={loss.isOn}
            onClick={() => void loss.toggle().catch(() => undefined)}
          >
            Of hints between replicas and of frames to clients. The next message shows the gap, or the heads do within
            30 s.
          </Break>
          <Break icon="wave" title="Talk, ten messages" onClick={() => void talk(people, active.openId)}>
            Everybody in turn, in {active.firstName}’s conversation.
          </Break>
          <Break
            icon="copies"
            title="Send one message five times"
            onClick={() => void sendFiveTimes(active).catch(() => undefined)}
          >
            At once, by socket and REST. It is stored once.
          </Break>
          <KillButton active={active} isPossible={loss.state?.restartable ?? false} />
        </div>
      </section>
      <section>
        <h2>Positions</h2>
        <table class="positions">
          <thead>
            <tr>
              <th scope="col">Window</th>
              <th scope="col">rev</th>
              <th scope="col">seq</th>
              <th scope="col">lost</th>
            </tr>
          </thead>
          <tbody>
            {people.map((person) => (
              <Position key={person.id} person={person} />
            ))}
          </tbody>
        </table>
        {loss.isOn && loss.state && (
          <p class="about">
            Server: {loss.state.hintsLost} hints lost, {loss.state.changesRepaired} changes read again from the tables.
          </p>
        )}
      </section>
      <Journal />
    </aside>
  );
}

function KillButton({ active, isPossible }: { active: Person; isPossible: boolean }) {
  const [isDown, setDown] = useState(false);
  const kill = () => {
    setDown(true);
    void killServer(active).finally(() => setDown(false));
  };
  return (
    <Break
      icon="power"
      title={isDown ? 'It is coming back …' : 'Kill this server'}
      isOn={isDown}
      isBusy={isDown || !isPossible}
      onClick={kill}
    >
      {isPossible || isDown
        ? 'SIGKILL, then a new start. Nobody signs in again.'
        : 'Only where npm start watches over it.'}
    </Break>
  );
}

interface BreakProps {
  icon: IconName;
  title: string;
  isOn?: boolean;
  isBusy?: boolean;
  onClick: () => void;
  children: ComponentChildren;
}

function Break({ icon, title, isOn, isBusy = false, onClick, children }: BreakProps) {
  return (
    <button type="button" class="break" aria-pressed={isOn} disabled={isBusy} onClick={onClick}>
      <Icon name={icon} size={20} />
      <span>
        <strong>{title}</strong>
        <span>{children}</span>
      </span>
    </button>
  );
}

function Position({ person }: { person: Person }) {
  useStore(person.subscribe, person.snapshot);
  const state = person.parley.conversation(person.openId ?? '')?.state;
  return (
    <tr>
      <th scope="row">{person.firstName}</th>
      <td>{state ? person.positionOf(state.id) : '–'}</td>
      <td>{state?.lastSeq ?? '–'}</td>
      <td>{person.wire.lost}</td>
    </tr>
  );
}

function Journal() {
  const entries = useJournal();
  return (
    <section class="journal">
      <h2>What happened</h2>
      {entries.length === 0 && <p class="about">Nothing yet.</p>}
      <div class="log" role="log" aria-label="What happened" tabIndex={0}>
        <ol>
          {entries.map(({ id, at, who, kind, text }) => (
            <li key={id} class={kind}>
              <time>{clockOf(at)}</time>
              <span>
                {who && <strong>{who} </strong>}
                {text}
              </span>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
