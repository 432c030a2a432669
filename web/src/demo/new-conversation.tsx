import type { Conversation } from '@parley/client';
import { useContext, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Avatar, People, useMe } from './people.js';

interface Props {
  onClose: () => void;
  onMade: (conversation: Conversation) => void;
}

/** One other person makes a direct conversation, more or a title make a group. */
export function NewConversation({ onClose, onMade }: Props) {
  const me = useMe();
  const others = [...useContext(People).values()].filter(({ id }) => id !== me.id);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [title, setTitle] = useState('');
  const [problem, setProblem] = useState('');
  const isGroup = chosen.length > 1 || title.trim() !== '';

  const make = async (event: Event) => {
    event.preventDefault();
    try {
      const [first = ''] = chosen;
      const { parley } = me;
      onMade(await (isGroup ? parley.group(title.trim() || 'New group', [...chosen]) : parley.direct(first)));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form class="new-conversation" onSubmit={(event) => void make(event)}>
        <fieldset>
          <legend>With whom?</legend>
          {others.map(({ id, user }) => (
            <label key={id} class="choice">
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                onChange={() => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id])}
              />
              <Avatar userId={id} size={28} />
              {user.displayName}
            </label>
          ))}
        </fieldset>
        <label class="labelled">
          Title, for a group
          <input class="field" value={title} maxLength={120} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        {problem && (
          <p class="notice bad" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={chosen.length === 0}>
            {isGroup ? 'Make the group' : 'Start chatting'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
