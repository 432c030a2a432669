import type { Conversation, ShownMessage } from '@parley/client';
import { useState } from 'preact/hooks';
import { Button, IconButton } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';

export const emojis = ['👍', '❤️', '😂', '🎉', '🤔', '🙏'];

export interface Actions {
  reply: (message: ShownMessage) => void;
  edit: (message: ShownMessage) => void;
  /** Absent inside of a thread. */
  thread?: (message: ShownMessage) => void;
  jump: (seq: number) => void;
}

interface Props {
  conversation: Conversation;
  message: ShownMessage;
  seq: number;
  isOwn: boolean;
  actions: Actions;
}

/** What can be done with a message; seen while it is pointed at or has the focus. */
export function MessageActions({ conversation, message, seq, isOwn, actions }: Props) {
  const [picking, setPicking] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const react = (emoji: string) => {
    setPicking(false);
    conversation.react(seq, emoji).catch(() => undefined);
  };
  return (
    <div class="actions" role="toolbar" aria-label="Message">
      {picking ? (
        emojis.map((emoji) => (
          <button
            key={emoji}
            type="button"
            class="emoji-choice"
            aria-label={`React with ${emoji}`}
            onClick={() => react(emoji)}
          >
            {emoji}
          </button>
        ))
      ) : (
        <>
          <IconButton icon="smile" size={16} label="React" onClick={() => setPicking(true)} />
          <IconButton icon="reply" size={16} label="Reply" onClick={() => actions.reply(message)} />
          {actions.thread && (
            <IconButton icon="thread" size={16} label="Reply in a thread" onClick={() => actions.thread?.(message)} />
          )}
          {isOwn && <IconButton icon="edit" size={16} label="Edit" onClick={() => actions.edit(message)} />}
          {isOwn && <IconButton icon="trash" size={16} label="Delete" onClick={() => setDeleting(true)} />}
        </>
      )}
      {deleting && (
        <Dialog title="Delete this message?" onClose={() => setDeleting(false)}>
          <p>It goes for everybody; that it was there stays visible.</p>
          <div class="dialog-actions">
            <Button onClick={() => setDeleting(false)}>Keep it</Button>
            <Button
              kind="danger"
              onClick={() => {
                setDeleting(false);
                conversation.delete(seq).catch(() => undefined);
              }}
            >
              Delete
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
