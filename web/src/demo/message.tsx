import type { Conversation, ConversationView, ShownMessage } from '@parley/client';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Body } from './body.js';
import { type Actions, MessageActions } from './message-actions.js';
import { Avatar, useMe, useNames } from './people.js';
import { Picture } from './picture.js';
import { Receipt } from './receipt.js';
import { timeOf } from './time.js';

interface Props {
  conversation: Conversation;
  view: ConversationView;
  message: ShownMessage;
  /** By the same person as the one before, shortly after. */
  follows: boolean;
  /** Reached by the Tab key; the arrow keys go on from there. */
  isEntry: boolean;
  actions: Actions;
}

export function MessageRow({ conversation, view, message, follows, isEntry, actions }: Props) {
  const me = useMe();
  const names = useNames();
  const { seq, senderId, createdAt, deletedAt } = message;
  if (message.kind !== 'text' && message.kind !== 'custom') return <SystemRow message={message} />;
  const isOwn = senderId === me.id;
  const showsName = !isOwn && !follows && view.conversation.type !== 'direct';
  return (
    <li>
      <article
        class={`message ${isOwn ? 'own' : 'other'} ${follows ? 'follows' : ''} ${message.state}`}
        data-seq={seq ?? undefined}
        tabIndex={isEntry ? 0 : -1}
        aria-label={`${isOwn ? 'You' : names(senderId)}, ${timeOf(createdAt)}`}
      >
        {!isOwn && <span class="message-face">{!follows && <Avatar userId={senderId ?? ''} size={30} />}</span>}
        <div class="message-main">
          {showsName && <span class="message-name">{names(senderId)}</span>}
          <div class="bubble">
            {deletedAt === null ? (
              <Content view={view} message={message} actions={actions} />
            ) : (
              <p class="body deleted">This message was deleted</p>
            )}
            <span class="message-meta">
              {message.editedAt !== null && deletedAt === null && <span>edited</span>}
              <time dateTime={createdAt}>{timeOf(createdAt)}</time>
              {isOwn && deletedAt === null && <Receipt view={view} message={message} />}
            </span>
          </div>
          {deletedAt === null && <Reactions conversation={conversation} message={message} />}
          {deletedAt === null && <Replies conversation={conversation} message={message} actions={actions} />}
          {message.state === 'failed' && <Failure message={message} />}
          {seq !== null && deletedAt === null && (
            <MessageActions conversation={conversation} message={message} seq={seq} isOwn={isOwn} actions={actions} />
          )}
        </div>
      </article>
    </li>
  );
}

function Content({ view, message, actions }: Pick<Props, 'view' | 'message' | 'actions'>) {
  return (
    <>
      {message.replyToSeq !== null && <Quote view={view} seq={message.replyToSeq} onJump={actions.jump} />}
      {message.attachments.map((attachment) =>
        attachment.mime.startsWith('image/') || attachment.width !== null ? (
          <Picture key={attachment.mediaId} attachment={attachment} />
        ) : (
          <span key={attachment.mediaId} class="file">
            <Icon name="archive" size={16} /> {attachment.name}
          </span>
        ),
      )}
      {message.body && <Body text={message.body} />}
    </>
  );
}

function Quote({ view, seq, onJump }: { view: ConversationView; seq: number; onJump: (seq: number) => void }) {
  const names = useNames();
  const quoted = view.timeline.find((message) => message.seq === seq);
  return (
    <button type="button" class="quote" onClick={() => onJump(seq)}>
      <strong>{quoted ? names(quoted.senderId) : 'An earlier message'}</strong>
      <span>{quoted?.deletedAt ? 'deleted' : quoted?.body || (quoted ? 'Picture' : 'Show it')}</span>
    </button>
  );
}

function Reactions({ conversation, message }: { conversation: Conversation; message: ShownMessage }) {
  const me = useMe();
  const names = useNames();
  const { seq, reactions } = message;
  if (reactions.length === 0 || seq === null) return null;
  return (
    <ul class="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, userIds }) => {
        const isMine = userIds.includes(me.id);
        const who = userIds.map(names).join(', ');
        return (
          <li key={emoji}>
            <button
              type="button"
              aria-pressed={isMine}
              aria-label={`${emoji} ${count}, by ${who}`}
              title={who}
              onClick={() => void conversation.react(seq, emoji, !isMine).catch(() => undefined)}
            >
              {emoji} <span>{count}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Replies({ conversation, message, actions }: Pick<Props, 'conversation' | 'message' | 'actions'>) {
  // A thread that was begun while we looked comes by itself, and not with its first message.
  const live = [...conversation.state.threads.values()].find(({ rootSeq }) => rootSeq === message.seq);
  const { replyCount } = live ?? message.thread ?? { replyCount: 0 };
  if (replyCount === 0 || !actions.thread) return null;
  return (
    <button type="button" class="replies" onClick={() => actions.thread?.(message)}>
      <Icon name="thread" size={14} /> {replyCount} {replyCount === 1 ? 'reply' : 'replies'}
    </button>
  );
}

function Failure({ message }: { message: ShownMessage }) {
  const { parley } = useMe();
  return (
    <div class="failure" role="alert">
      <span>Not sent: {message.problem?.detail ?? 'refused'}</span>
      <Button kind="quiet" onClick={() => void parley.retry(message.key).catch(() => undefined)}>
        Try again
      </Button>
      <Button kind="quiet" onClick={() => void parley.discard(message.key).catch(() => undefined)}>
        Discard
      </Button>
    </div>
  );
}

function SystemRow({ message: { system, kind } }: { message: ShownMessage }) {
  const names = useNames();
  const actor = names(system?.actorId ?? null);
  const targets = (system?.targetIds ?? []).map(names).join(', ');
  const texts: Record<string, string> = {
    conversation_created: `${actor} made this group${targets ? ` with ${targets}` : ''}`,
    member_added: `${actor} added ${targets}`,
    member_left: `${actor} left`,
  };
  return <li class="system">{kind === 'call' ? 'A call' : (texts[system?.type ?? ''] ?? 'Something changed')}</li>;
}
