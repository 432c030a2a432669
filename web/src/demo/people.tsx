import type { Conversation, ConversationView } from '@parley/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useStore } from '../ui/store.js';
import type { Person } from './person.js';

/** Everybody of this world, by user id. */
export const People = createContext<ReadonlyMap<string, Person>>(new Map());
/** Whose window this is. */
export const Me = createContext<Person | undefined>(undefined);

export function useMe(): Person {
  const me = useContext(Me);
  if (!me) throw new Error('outside of a window');
  useStore(me.subscribe, me.snapshot);
  return me;
}

export const useView = (conversation: Conversation): ConversationView =>
  useStore(conversation.subscribe, () => conversation.view);

/** Names of people by their ids; others than these are not on this page. */
export function useNames(): (id: string | null) => string {
  const people = useContext(People);
  return (id) => (id === null ? 'Nobody' : (people.get(id)?.firstName ?? 'Somebody'));
}

/** What a conversation is called in somebody's window: its title, or the other person's name. */
export function useTitle(): (view: ConversationView) => string {
  const people = useContext(People);
  const me = useMe();
  return ({ conversation, members }) => {
    if (conversation.title !== null) return conversation.title;
    const other = members.find(({ userId }) => userId !== me.id);
    return people.get(other?.userId ?? '')?.user.displayName ?? 'Direct';
  };
}

const words: Record<string, string> = {
  active: 'online',
  idle: 'away',
  dnd: 'does not want to be disturbed',
  offline: 'offline',
};

export function Avatar({ userId, size = 36, presence }: { userId: string; size?: number; presence?: boolean }) {
  const people = useContext(People);
  const me = useContext(Me);
  const person = people.get(userId);
  const initials = (person?.user.displayName ?? '?')
    .split(' ')
    .map((word) => word[0])
    .join('');
  const state = presence ? (userId === me?.id ? ownPresence(me) : me?.presence.get(userId)) : undefined;
  return (
    <span class={`avatar colour-${person?.colour ?? 0}`} style={{ width: size, height: size, fontSize: size * 0.38 }}>
      <span aria-hidden="true">{initials}</span>
      {presence && (
        <span
          class={`presence ${state ?? 'offline'}`}
          role="img"
          aria-label={words[state ?? 'offline']}
          title={words[state ?? 'offline']}
        />
      )}
    </span>
  );
}

function ownPresence({ status, mode }: Person): string {
  if (mode === 'invisible' || (status !== 'online' && status !== 'syncing')) return 'offline';
  return mode === 'dnd' ? 'dnd' : 'active';
}

/** The face of a conversation. */
export function Face({ view, size = 36 }: { view: ConversationView; size?: number }) {
  const me = useMe();
  const other = view.members.find(({ userId }) => userId !== me.id);
  if (view.conversation.type === 'direct') return <Avatar userId={other?.userId ?? ''} size={size} presence />;
  return (
    <span class="avatar group" style={{ width: size, height: size, fontSize: size * 0.42 }} aria-hidden="true">
      {view.conversation.title?.[0]?.toUpperCase() ?? '#'}
    </span>
  );
}
