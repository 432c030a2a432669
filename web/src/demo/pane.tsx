import type { Conversation } from '@parley/client';
import { useEffect, useState } from 'preact/hooks';
import { Button, IconButton } from '../ui/button.js';
import { Chat } from './chat.js';
import { ConversationList } from './conversation-list.js';
import { Avatar, Me } from './people.js';
import type { Mode, Person } from './person.js';
import { SearchPanel } from './search.js';
import { useStore } from '../ui/store.js';

interface Props {
  person: Person;
  isShown: boolean;
  /** Opened at the beginning, by its title. */
  first: string;
  onFocus: () => void;
  onClose: (() => void) | undefined;
  id: string;
}

/** Somebody's own window. */
export function Pane({ person, isShown, first, onFocus, onClose, id }: Props) {
  useStore(person.subscribe, person.snapshot);
  const [openId, setOpenId] = useState<string>();
  const [hasChosen, setChosen] = useState(false);
  const [target, setTarget] = useState<{ seq: number }>();
  const [isSearching, setSearching] = useState(false);
  const preset = person.conversations.find(({ view }) => view.conversation.title === first) ?? person.conversations[0];
  const open = openId === undefined ? (hasChosen ? undefined : preset) : person.parley.conversation(openId);
  useEffect(() => {
    person.openId = open?.id;
  }, [person, open]);

  const show = (conversation: Conversation) => {
    setChosen(true);
    setOpenId(conversation.id);
    setTarget(undefined);
  };
  const found = (conversationId: string, seq: number) => {
    setChosen(true);
    setOpenId(conversationId);
    setTarget({ seq });
    if (matchMedia('(max-width: 760px)').matches) setSearching(false);
  };

  return (
    <Me.Provider value={person}>
      <section
        id={id}
        class="pane"
        hidden={!isShown}
        aria-label={`${person.user.displayName}’s window`}
        onFocusCapture={onFocus}
        onPointerDown={onFocus}
      >
        <header class="pane-head">
          <Avatar userId={person.id} size={30} presence />
          <h2>{person.user.displayName}</h2>
          <StatusChip person={person} />
          <Appearance person={person} />
          <IconButton
            icon="search"
            label="Search"
            aria-pressed={isSearching}
            onClick={() => setSearching(!isSearching)}
          />
          {onClose && <IconButton icon="close" label={`Close ${person.firstName}’s window`} onClick={onClose} />}
        </header>
        {person.wire.isCut && (
          <div class="cut-line" role="status">
            <span>
              <strong>{person.firstName} is offline.</strong> What is written now waits here and goes out later.
            </span>
            <Button kind="primary" onClick={() => person.mend()}>
              Reconnect
            </Button>
          </div>
        )}
        <div class={open ? 'pane-body has-open' : 'pane-body'}>
          <ConversationList open={open} onOpen={show} />
          {open ? (
            <Chat
              key={open.id}
              conversation={open}
              isShown={isShown}
              target={target}
              onBack={() => {
                setChosen(true);
                setOpenId(undefined);
              }}
            />
          ) : (
            <p class="empty chat">{person.status === 'online' ? 'Choose a conversation.' : 'Connecting …'}</p>
          )}
          {isSearching && (
            <SearchPanel
              onFound={found}
              onClose={() => {
                setSearching(false);
                document.querySelector<HTMLElement>(`#${id} .pane-head [aria-pressed]`)?.focus();
              }}
            />
          )}
        </div>
      </section>
    </Me.Provider>
  );
}

/** How this person appears to the others. */
function Appearance({ person }: { person: Person }) {
  return (
    <select
      class="appearance"
      aria-label={`How ${person.firstName} appears`}
      value={person.mode}
      disabled={person.status !== 'online'}
      onChange={({ currentTarget }) => void person.appear(currentTarget.value as Mode).catch(() => undefined)}
    >
      <option value="auto">Automatic</option>
      <option value="dnd">Do not disturb</option>
      <option value="invisible">Invisible</option>
    </select>
  );
}

function StatusChip({ person }: { person: Person }) {
  const { status } = person;
  const texts: Record<typeof status, string> = {
    online: 'Online',
    syncing: 'Catching up',
    connecting: 'Connecting',
    offline: 'Offline',
    'signed-out': 'Signed out',
  };
  return (
    <span class={`chip ${status}`} role="status">
      {texts[status]}
    </span>
  );
}
