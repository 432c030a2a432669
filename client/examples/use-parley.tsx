// React: hooks over one client, and a chat of forty lines that uses them.
import { type Conversation, type ConversationView, type Parley, type Status } from '@parley/client';
import { type FormEvent, useEffect, useState, useSyncExternalStore } from 'react';

/** Another picture whenever something in the conversation changed. */
export function useConversation(conversation: Conversation): ConversationView {
  return useSyncExternalStore(conversation.subscribe, () => conversation.view);
}

/** All conversations, the latest activity first. */
export function useConversations(parley: Parley): Conversation[] {
  const [list, setList] = useState(() => parley.conversations);
  useEffect(() => {
    const refresh = () => setList(parley.conversations);
    refresh();
    const stops = [parley.on('conversation', refresh), parley.on('conversation.gone', refresh)];
    return () => stops.forEach((stop) => stop());
  }, [parley]);
  return list;
}

export function useStatus(parley: Parley): Status {
  return useSyncExternalStore(
    (listener) => parley.on('status', listener),
    () => parley.status,
  );
}

export function Chat({ conversation }: { conversation: Conversation }) {
  const { timeline, typing, me, hasOlder } = useConversation(conversation);
  const [text, setText] = useState('');
  const newest = timeline.at(-1)?.seq ?? 0;
  useEffect(() => conversation.markRead(), [conversation, newest]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A refusal shows in the timeline as state "failed".
    conversation.send(text).catch(() => undefined);
    setText('');
  };
  return (
    <section aria-label={`${me.unread} unread`}>
      {hasOlder && <button onClick={() => void conversation.loadOlder()}>Older</button>}
      <ol>
        {timeline.map(({ key, state, body, deletedAt }) => (
          <li key={key} data-state={state}>
            {deletedAt === null ? body : <em>deleted</em>}
          </li>
        ))}
      </ol>
      <p aria-live="polite">{typing.length > 0 ? 'Somebody is typing …' : ''}</p>
      <form onSubmit={submit}>
        <input
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            conversation.typing();
          }}
        />
        <button disabled={text.trim() === ''}>Send</button>
      </form>
    </section>
  );
}
