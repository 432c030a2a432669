import type { Conversation, ConversationView, Message, ShownMessage } from '@parley/client';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { IconButton } from '../ui/button.js';
import { Composer, type Intent } from './composer.js';
import { useMe } from './people.js';
import { Timeline } from './timeline.js';
import { useUploads } from './uploads.js';

interface Props {
  conversation: Conversation;
  view: ConversationView;
  root: ShownMessage;
  onClose: () => void;
}

/** Replies to one message, beside the conversation. */
export function ThreadPanel({ conversation, view, root, onClose }: Props) {
  const me = useMe();
  const uploads = useUploads(me);
  const [intent, setIntent] = useState<Intent>({ kind: 'send' });
  const [threadId, setThreadId] = useState(root.thread?.id ?? knownThread(conversation, root));
  const [earlier, setEarlier] = useState<readonly Message[]>([]);
  const [problem, setProblem] = useState(false);

  useEffect(() => {
    let wanted = true;
    const open = async () => {
      const id = threadId ?? (await me.parley.api.thread(conversation.id, root.seq ?? 0)).id;
      const { items } = await me.parley.api.threadMessages(id);
      if (!wanted) return;
      setThreadId(id);
      setEarlier(items);
    };
    open().catch(() => wanted && setProblem(true));
    return () => void (wanted = false);
  }, [threadId]);

  const messages = useMemo(() => merge(root, earlier, view, threadId), [root, earlier, view, threadId]);
  return (
    <aside class="side" aria-label="Thread" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <header class="side-head">
        <h3>Thread</h3>
        <IconButton icon="close" label="Close the thread" onClick={onClose} />
      </header>
      {problem && <p class="notice warn">The replies cannot be loaded now.</p>}
      <Timeline
        conversation={conversation}
        view={view}
        messages={messages}
        actions={{
          reply: (message) => setIntent({ kind: 'reply', message }),
          edit: (message) => setIntent({ kind: 'edit', message }),
          jump: () => undefined,
        }}
      />
      {threadId !== undefined && (
        <Composer
          conversation={conversation}
          view={view}
          intent={intent}
          onIntent={setIntent}
          uploads={uploads}
          label="Reply in the thread"
          threadId={threadId}
          takesFocus
        />
      )}
    </aside>
  );
}

const knownThread = ({ state }: Conversation, { seq }: ShownMessage): string | undefined =>
  [...state.threads.values()].find(({ rootSeq }) => rootSeq === seq)?.id;

/** The root, what was loaded, and over it what is live. */
function merge(
  root: ShownMessage,
  earlier: readonly Message[],
  { timeline }: ConversationView,
  threadId: string | undefined,
): ShownMessage[] {
  const live = timeline.filter((message) => threadId !== undefined && message.threadId === threadId);
  const keys = new Set(live.map(({ key }) => key));
  const loaded = earlier
    .map((message): ShownMessage => ({ ...message, key: message.clientId ?? message.id, state: 'sent', problem: null }))
    .filter(({ key }) => !keys.has(key));
  return [timeline.find(({ seq }) => seq === root.seq) ?? root, ...loaded, ...live];
}
