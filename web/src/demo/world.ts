import { type AuthResult, ParleyError } from '@parley/client';
import { enterAsGuests, forgetGuests, keepTokens } from './guests.js';
import { Person } from './person.js';

/** The people of this browser; `#world=…` in the address opens the same ones in another. */
interface WorldAnswer {
  id: string;
  created: boolean;
  people: AuthResult[];
}

export interface World {
  /** Undefined where people are guests of this browser alone. */
  id: string | undefined;
  people: Person[];
}

const KEY = 'parley.world';
const DEVICE = 'parley.device';

/** Why there is nobody here, in words for whoever opened the page. */
export class WorldError extends Error {}

/** Signs everybody in; the first visit makes the people and tells their story so far. */
export async function enterWorld(progress: (text: string) => void): Promise<World> {
  const known = /^#world=([0-9a-f]{10})$/.exec(location.hash)?.[1] ?? localStorage.getItem(KEY) ?? undefined;
  const world = (known && (await ask(known))) || (await ask(undefined));
  const { created, people: signedIn } = world ?? (await enterAsGuests().catch(explain));
  if (created) {
    progress('Writing their story so far …');
    const { tellStory } = await import('./seed.js');
    await tellStory(signedIn);
  }
  if (world) localStorage.setItem(KEY, world.id);
  const ids = signedIn.map(({ user }) => user.id);
  const people = signedIn.map(({ user, tokens }, i) => {
    const others = ids.filter((id) => id !== user.id);
    return new Person(user, tokens, i, others);
  });
  if (!world) for (const { id, parley } of people) parley.on('tokens', (tokens) => keepTokens(id, tokens));
  return { id: world?.id, people };
}

function explain(error: unknown): never {
  throw new WorldError(error instanceof ParleyError ? error.problem.detail : String(error));
}

/** Leaves these people behind; the next visit meets new ones. */
export function forgetWorld(): void {
  localStorage.removeItem(KEY);
  forgetGuests();
  history.replaceState(null, '', location.pathname);
}

/** Undefined where there is no such world, or no demo at all. */
async function ask(id: string | undefined): Promise<WorldAnswer | undefined> {
  const response = await fetch('/api/v1/demo/world', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...(id === undefined ? {} : { id }), deviceId: deviceId() }),
  }).catch(() => {
    throw new WorldError('The server does not answer. Is it running?');
  });
  if (response.ok) return (await response.json()) as WorldAnswer;
  if (response.status === 404) return undefined;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new WorldError(detail ?? `The server answered ${response.status}.`);
}

/** Of this tab: a second one must not sign the first one out. */
function deviceId(): string {
  const id = sessionStorage.getItem(DEVICE) ?? crypto.randomUUID();
  sessionStorage.setItem(DEVICE, id);
  return id;
}
