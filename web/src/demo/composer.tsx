import type { Content, Conversation, ConversationView, ShownMessage } from '@parley/client';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from '../ui/button.js';
import { People, useMe, useNames } from './people.js';
import type { Uploads } from './uploads.js';

/** What the text will be. */
export type Intent = { kind: 'send' } | { kind: 'reply' | 'edit'; message: ShownMessage };

interface Props {
  conversation: Conversation;
  view: ConversationView;
  intent: Intent;
  onIntent: (intent: Intent) => void;
  uploads: Uploads;
  label: string;
  threadId?: string;
  /** Whether the keyboard writes here at once. */
  takesFocus?: boolean;
}

const MAX_HEIGHT = 160;

export function Composer({ conversation, view, intent, onIntent, uploads, label, threadId, takesFocus }: Props) {
  const me = useMe();
  const draftKey = threadId ?? conversation.id;
  const [text, setText] = useState(me.drafts.get(draftKey) ?? '');
  const [isWaiting, setWaiting] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const people = useContext(People);

  const write = (next: string) => {
    setText(next);
    if (intent.kind !== 'edit') me.drafts.set(draftKey, next);
  };
  // With the rendering, not after it: what is typed next is not overwritten.
  useLayoutEffect(() => {
    if (intent.kind === 'edit') setText(intent.message.body ?? '');
    if (intent.kind !== 'send') field.current?.focus();
  }, [intent]);
  useEffect(() => {
    if (takesFocus) field.current?.focus();
  }, []);
  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);

  const settle = () => {
    write(intent.kind === 'edit' ? (me.drafts.get(draftKey) ?? '') : '');
    onIntent({ kind: 'send' });
  };

  const submit = async () => {
    const body = text.trim();
    if (isWaiting || (body === '' && uploads.items.length === 0)) return;
    conversation.typing(false, threadId);
    settle();
    if (intent.kind === 'edit') {
      await conversation.edit(intent.message.seq ?? 0, body).catch(() => undefined);
      return;
    }
    setWaiting(true);
    const attachmentIds = await uploads.take();
    setWaiting(false);
    if (body === '' && attachmentIds.length === 0) return;
    const content: Exclude<Content, string> = { body };
    if (attachmentIds.length > 0) content.attachmentIds = attachmentIds;
    if (intent.kind === 'reply' && intent.message.seq !== null) content.replyToSeq = intent.message.seq;
    if (threadId !== undefined) content.threadId = threadId;
    const mentions = [...people.values()].filter(
      ({ id, firstName }) =>
        id !== me.id && body.includes(`@${firstName}`) && view.members.some(({ userId }) => userId === id),
    );
    if (mentions.length > 0) content.mentions = mentions.map(({ id }) => id);
    const { done } = await conversation.queue(content);
    // A refusal stands beside the message.
    done.catch(() => undefined);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While a syllable is being composed Enter belongs to the input method.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void submit();
    } else if (event.key === 'Escape' && intent.kind !== 'send') {
      event.stopPropagation();
      settle();
    } else if (event.key === 'ArrowUp' && text === '' && intent.kind === 'send') {
      const own = view.timeline.findLast(
        (one) =>
          one.senderId === me.id && one.seq !== null && one.deletedAt === null && one.threadId === (threadId ?? null),
      );
      if (own) onIntent({ kind: 'edit', message: own });
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {intent.kind !== 'send' && <IntentBar intent={intent} onCancel={settle} />}
      {uploads.items.length > 0 && <Previews uploads={uploads} />}
      <div class="composer-line">
        <IconButton icon="image" label="Add pictures" onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          accept="image/*"
          multiple
          hidden
          aria-label="Pictures"
          onChange={({ currentTarget }) => {
            uploads.add(currentTarget.files ?? []);
            currentTarget.value = '';
          }}
        />
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={label}
          placeholder={label}
          maxLength={8000}
          onInput={({ currentTarget }) => {
            write(currentTarget.value);
            conversation.typing(currentTarget.value !== '', threadId);
          }}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = event.clipboardData?.files;
            if (!files?.length) return;
            event.preventDefault();
            uploads.add(files);
          }}
        />
        <button
          type="submit"
          class="button primary icon send"
          aria-label={intent.kind === 'edit' ? 'Save' : 'Send'}
          disabled={isWaiting || (text.trim() === '' && uploads.items.length === 0)}
        >
          <SendShape />
        </button>
      </div>
    </form>
  );
}

const SendShape = () => (
  <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path
      d="M12 19V5M5.5 11.5 12 5l6.5 6.5"
      fill="none"
      stroke="currentColor"
      stroke-width="2.4"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
);

function IntentBar({ intent, onCancel }: { intent: Exclude<Intent, { kind: 'send' }>; onCancel: () => void }) {
  const names = useNames();
  const { kind, message } = intent;
  return (
    <div class="intent">
      <span>
        <strong>{kind === 'edit' ? 'Editing' : `Replying to ${names(message.senderId)}`}</strong>
        <span>{message.body || 'Picture'}</span>
      </span>
      <IconButton icon="close" size={16} label="Cancel" onClick={onCancel} />
    </div>
  );
}

function Previews({ uploads: { items, remove } }: { uploads: Uploads }) {
  return (
    <ul class="previews" aria-label="Pictures to send">
      {items.map(({ key, name, preview, progress, problem }) => (
        <li key={key} class={problem ? 'preview bad' : 'preview'}>
          <img src={preview} alt={name} />
          {problem === null && progress < 1 && (
            <progress max={1} value={progress} aria-label={`Uploading ${name}`}>
              {Math.round(progress * 100)} %
            </progress>
          )}
          {problem !== null && (
            <span class="preview-problem" role="alert">
              {problem}
            </span>
          )}
          <button type="button" class="preview-remove" aria-label={`Remove ${name}`} onClick={() => remove(key)}>
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
