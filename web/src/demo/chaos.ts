import { ParleyError } from '@parley/client';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { note } from './journal.js';
import type { Person } from './person.js';

/** What the server tells of its lost hints; in production nothing, and only the cables lose messages. */
interface ChaosState {
  loseHints: boolean;
  hintsLost: number;
  changesRepaired: number;
  restartable: boolean;
}

const LOOK_MS = 1000;

/** Every second live message lost, on the server and on each cable; `state` is kept fresh while it is so. */
export function useLoss(people: readonly Person[]) {
  const [state, setState] = useState<ChaosState>();
  const rest = people[0]?.parley.rest;
  const look = useCallback(async () => {
    if (rest) setState(await rest.get<ChaosState>('/demo/chaos'));
  }, [rest]);
  useEffect(() => void look().catch(() => undefined), [look]);
  const [isOn, setOn] = useState(false);
  useEffect(() => {
    for (const { wire } of people) wire.isLeaky = isOn;
    if (!isOn) return;
    const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
    return () => clearInterval(timer);
  }, [people, isOn, look]);
  const toggle = async () => {
    setOn(!isOn);
    if (isOn) note('', 'info', 'No live message is lost any more');
    else note('', 'bad', 'Every second live message is lost from now on');
    if (rest && state) setState(await rest.put<ChaosState>('/demo/chaos', { loseHints: !isOn }));
  };
  return { state, isOn, toggle };
}

/** The same message five times in one moment, three times by socket and twice by REST. */
export async function sendFiveTimes(person: Person): Promise<void> {
  const { parley, openId: c = person.conversations[0]?.id } = person;
  if (c === undefined) return;
  const message = { clientId: crypto.randomUUID(), body: 'Sent five times at once ✋' };
  const answers = await Promise.all([
    ...[1, 2, 3].map(() => parley.command('message.send', { c, ...message })),
    ...[1, 2].map(() =>
      parley.rest.post<{ deduplicated: boolean; message: { seq: number } }>(`/conversations/${c}/messages`, message),
    ),
  ]);
  const repeats = answers.filter(({ deduplicated }) => deduplicated).length;
  const seqs = new Set(answers.map(({ message: { seq } }) => seq));
  note(
    person.firstName,
    seqs.size === 1 ? 'good' : 'bad',
    `sent one message five times: stored ${answers.length - repeats === 1 ? 'once' : `${answers.length - repeats} times`} as seq ${[...seqs].join(', ')}, recognised ${repeats} times`,
  );
}

/** Ten messages by everybody in turn, so that there is something to lose. */
export async function talk(people: readonly Person[], openId: string | undefined): Promise<void> {
  const all = people.flatMap(({ parley }) => parley.conversation(openId ?? '') ?? []);
  const words = ['One', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten.'];
  for (const [i, word] of words.entries()) await all[i % all.length]?.send(word);
}

/** Kills the server without a warning, and tells when it is back. */
export async function killServer(person: Person): Promise<void> {
  try {
    await person.parley.rest.post('/demo/restart', { signal: 'SIGKILL' }, { tries: 1 });
  } catch (error) {
    const text = error instanceof ParleyError ? error.problem.detail : 'The server did not answer';
    note('', 'bad', text);
    return;
  }
  const killed = performance.now();
  note('', 'bad', 'The server gets SIGKILL: no goodbye, nothing flushed');
  let died = false;
  for (;;) {
    const isReady = await fetch('/ready').then(
      ({ ok }) => ok,
      () => false,
    );
    if (!isReady) died = true;
    else if (died) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  note('', 'good', `The server is back, ${((performance.now() - killed) / 1000).toFixed(1)} s after`);
  window.dispatchEvent(new Event('online'));
}
