import type { Conversation, ShownMessage } from '@parley/client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Composer, type Intent } from './composer.js';
import { Face, useMe, useNames, useTitle, useView } from './people.js';
import { ThreadPanel } from './thread.js';
import { Timeline } from './timeline.js';
import { useUploads } from './uploads.js';

interface Props {
  conversation: Conversation;
  /** Whether somebody can see it: only then is anything read. */
  isShown: boolean;
  target: { seq: number } | undefined;
  onBack: () => void;
}

/** One conversation: its messages, and the place to write. */
export function Chat({ conversation, isShown, target: asked, onBack }: Props) {
  const me = useMe();
  const view = useView(conversation);
  const uploads = useUploads(me);
  const [intent, setIntent] = useState<Intent>({ kind: 'send' });
  const [thread, setThread] = useState<ShownMessage>();
  const [target, jump] = useTarget(conversation, asked);
  const [isDropping, setDropping] = useState(false);
  const unreadFrom = useRef(firstUnread(conversation)).current;
  const messages = useMemo(() => view.timeline.filter(({ threadId }) => threadId === null), [view]);
  const onSeen = useCallback(() => {
    if (isShown && document.visibilityState === 'visible') conversation.markRead();
  }, [conversation, isShown]);

  const chat = useRef<HTMLDivElement>(null);
  const closeThread = () => {
    setThread(undefined);
    // The keyboard goes on where it came from.
    chat.current?.querySelector<HTMLElement>(`[data-seq="${thread?.seq}"]`)?.focus();
  };

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    uploads.add(event.dataTransfer?.files ?? []);
  };

  return (
    <div
      ref={chat}
      class="chat"
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setDropping(false)}
      onDrop={drop}
    >
      <ChatHead conversation={conversation} onBack={onBack} />
      <Timeline
        conversation={conversation}
        view={view}
        messages={messages}
        unreadFrom={unreadFrom}
        target={target}
        onSeen={onSeen}
        actions={{
          reply: (message) => setIntent({ kind: 'reply', message }),
          edit: (message) => setIntent({ kind: 'edit', message }),
          thread: setThread,
          jump: (seq) => jump({ seq }),
        }}
      />
      <Typing userIds={view.typing} />
      <Composer
        conversation={conversation}
        view={view}
        intent={intent}
        onIntent={setIntent}
        uploads={uploads}
        label="Write a message"
      />
      {isDropping && (
        <div class="drop-here">
          <Icon name="image" size={32} /> Drop pictures here
        </div>
      )}
      {thread && <ThreadPanel conversation={conversation} view={view} root={thread} onClose={closeThread} />}
    </div>
  );
}

/** Where the conversation had been read up to when it was opened. */
function firstUnread({ state }: Conversation): number | undefined {
  if (state.me.unread === 0) return undefined;
  return state.messages.find(
    ({ seq, threadId, kind }) => seq > state.me.readSeq && threadId === null && kind !== 'system',
  )?.seq;
}

/** A message to be shown; older pages are loaded until it is there. */
function useTarget(conversation: Conversation, asked: { seq: number } | undefined) {
  const [wanted, setWanted] = useState(asked);
  const [target, setTarget] = useState<{ seq: number }>();
  useEffect(() => setWanted(asked), [asked]);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const load = async () => {
      while (current && conversation.state.loadedFrom > wanted.seq && (await conversation.loadOlder()));
      if (current) setTarget(wanted);
    };
    load().catch(() => undefined);
    return () => void (current = false);
  }, [conversation, wanted]);
  return [target, setWanted] as const;
}

function ChatHead({ conversation, onBack }: { conversation: Conversation; onBack: () => void }) {
  const me = useMe();
  const view = useView(conversation);
  const names = useNames();
  const title = useTitle()(view);
  const others = view.members.filter(({ userId }) => userId !== me.id).map(({ userId }) => userId);
  const online = others.filter((id) => (me.presence.get(id) ?? 'offline') !== 'offline');
  const about =
    view.conversation.type === 'direct'
      ? online.length > 0
        ? 'online'
        : 'offline'
      : `You, ${others.map(names).join(', ')} · ${online.length + 1} online`;
  return (
    <header class="chat-head">
      <IconButton class="back" icon="back" label="Back to the conversations" onClick={onBack} />
      <Face view={view} size={36} />
      <span class="chat-title">
        <h3>{title}</h3>
        <span>{about}</span>
      </span>
    </header>
  );
}

/** Its line is always there, so that nothing moves. */
function Typing({ userIds }: { userIds: readonly string[] }) {
  const names = useNames();
  const who = userIds.map(names);
  return (
    <p class="typing-line" aria-live="polite">
      {who.length > 0 && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {who.join(' and ')} {who.length > 1 ? 'are' : 'is'} typing …
        </>
      )}
    </p>
  );
}
