import type { Conversation, ShownMessage } from '@parley/client';
import { useState } from 'preact/hooks';
import { IconButton } from '../ui/button.js';
import { NewConversation } from './new-conversation.js';
import { Face, useMe, useNames, useTitle, useView } from './people.js';
import { shortTime } from './time.js';

interface Props {
  open: Conversation | undefined;
  onOpen: (conversation: Conversation) => void;
}

/** Names and latest words; in a narrow window only the faces. */
export function ConversationList({ open, onOpen }: Props) {
  const me = useMe();
  const [isNew, setNew] = useState(false);
  return (
    <nav class="list" aria-label="Conversations">
      <div class="list-head">
        <h3>Chats</h3>
        <IconButton icon="plus" label="New conversation" onClick={() => setNew(true)} />
      </div>
      <ul>
        {me.conversations.map((conversation) => (
          <Row
            key={conversation.id}
            conversation={conversation}
            isOpen={conversation === open}
            onOpen={() => onOpen(conversation)}
          />
        ))}
      </ul>
      {isNew && (
        <NewConversation
          onClose={() => setNew(false)}
          onMade={(conversation) => {
            setNew(false);
            onOpen(conversation);
          }}
        />
      )}
    </nav>
  );
}

function Row({ conversation, isOpen, onOpen }: { conversation: Conversation; isOpen: boolean; onOpen: () => void }) {
  const view = useView(conversation);
  const title = useTitle()(view);
  const names = useNames();
  const me = useMe();
  const last = view.timeline.findLast(({ threadId }) => threadId === null);
  const { unread, mentions } = view.me;
  const typist = view.typing[0];
  return (
    <li>
      <button type="button" class="row" aria-current={isOpen ? 'true' : undefined} title={title} onClick={onOpen}>
        <span class="row-face">
          <Face view={view} size={40} />
          {unread > 0 && (
            <span class="badge on-face" aria-hidden="true">
              {unread}
            </span>
          )}
        </span>
        <span class="row-text">
          <span class="row-top">
            <strong>{title}</strong>
            <time>{last && shortTime(last.createdAt)}</time>
          </span>
          <span class="row-bottom">
            <span class={typist ? 'row-last typing' : 'row-last'}>
              {typist ? `${names(typist)} is typing …` : preview(last, me.id, names)}
            </span>
            {mentions > 0 && (
              <span class="badge">
                @<span class="hidden-visually">, you are mentioned,</span>
              </span>
            )}
            {unread > 0 && (
              <span class="badge">
                {unread}
                <span class="hidden-visually"> unread</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}

function preview(message: ShownMessage | undefined, me: string, names: (id: string | null) => string): string {
  if (!message) return '';
  if (message.kind === 'system') return 'The group was made';
  const who = message.senderId === me ? 'You: ' : `${names(message.senderId)}: `;
  if (message.deletedAt) return `${who}deleted`;
  return who + (message.body || (message.attachments.length > 0 ? 'Picture' : ''));
}
