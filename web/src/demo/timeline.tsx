import type { Conversation, ConversationView, ShownMessage } from '@parley/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { MessageRow } from './message.js';
import type { Actions } from './message-actions.js';
import { useMe } from './people.js';
import { dayOf } from './time.js';

interface Props {
  conversation: Conversation;
  view: ConversationView;
  messages: readonly ShownMessage[];
  actions: Actions;
  /** The first message that was unread when the conversation was opened. */
  unreadFrom?: number | undefined;
  /** Shown and given the focus once, when it is there. */
  target?: { seq: number } | undefined;
  /** Called whenever the newest message is in view. */
  onSeen?: () => void;
}

const TOGETHER_MS = 5 * 60_000;
/** This near to the end counts as being there, in px. */
const NEAR = 60;

/**
 * Messages, oldest first, kept at the end by the browser itself: the scroller runs backwards (column-reverse) around one
 * list that runs forwards, so that neither new messages nor older pages make anything jump.
 */
export function Timeline({ conversation, view, messages, actions, unreadFrom, target, onSeen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [isAway, setAway] = useState(false);
  const me = useMe();
  const last = messages.at(-1);
  const lastKey = last?.key;

  const isAtEnd = () => (scroller.current?.scrollTop ?? 0) > -NEAR;
  useEffect(() => {
    if (last?.senderId === me.id && last.state === 'pending') scroller.current?.scrollTo({ top: 0 });
    if (isAtEnd()) onSeen?.();
  }, [lastKey, onSeen]);
  useEffect(() => {
    if (target) reveal(scroller.current, target.seq);
  }, [target]);

  const scrolled = () => {
    const list = scroller.current;
    if (!list) return;
    setAway(!isAtEnd());
    if (isAtEnd()) onSeen?.();
    if (view.hasOlder && list.scrollHeight - list.clientHeight + list.scrollTop < 300)
      conversation.loadOlder().catch(() => undefined);
  };

  return (
    <div class="timeline">
      <div ref={scroller} class="scroller" onScroll={scrolled} onKeyDown={walk}>
        <ol>
          {messages.map((message, i) => {
            const before = messages[i - 1];
            const day = dayOf(message.createdAt);
            const isNewDay = !before || dayOf(before.createdAt) !== day;
            return [
              isNewDay && (
                <li key={`day-${message.key}`} class="day">
                  <span>{day}</span>
                </li>
              ),
              message.seq !== null && message.seq === unreadFrom && (
                <li key="unread" class="unread-mark">
                  <span>New</span>
                </li>
              ),
              <MessageRow
                key={message.key}
                conversation={conversation}
                view={view}
                message={message}
                follows={!isNewDay && belongs(before, message) && message.seq !== unreadFrom}
                isEntry={message === last}
                actions={actions}
              />,
            ];
          })}
        </ol>
      </div>
      {isAway && (
        <Button class="to-end" icon="back" onClick={() => scroller.current?.scrollTo({ top: 0, behavior: 'smooth' })}>
          Newest
        </Button>
      )}
    </div>
  );
}

const belongs = (before: ShownMessage, message: ShownMessage): boolean =>
  before.senderId === message.senderId &&
  before.kind === message.kind &&
  Date.parse(message.createdAt) - Date.parse(before.createdAt) < TOGETHER_MS;

/** Arrow keys walk from message to message. */
function walk(event: KeyboardEvent): void {
  const from = event.target;
  if (!(from instanceof HTMLElement) || from.tagName !== 'ARTICLE') return;
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  if (step === 0) return;
  const all = [...(from.closest('ol')?.querySelectorAll('article') ?? [])];
  const next = all[all.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

function reveal(list: HTMLElement | null, seq: number): void {
  const message = list?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
  if (!message) return;
  message.scrollIntoView({ block: 'center' });
  message.focus({ preventScroll: true });
  message.classList.remove('flash');
  // Read, so that the animation begins anew.
  void message.offsetWidth;
  message.classList.add('flash');
}
