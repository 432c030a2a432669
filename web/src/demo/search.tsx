import type { SearchHit } from '@parley/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from '../ui/button.js';
import { useMe, useNames } from './people.js';
import { shortTime } from './time.js';

interface Props {
  onFound: (conversationId: string, seq: number) => void;
  onClose: () => void;
}

const PAUSE_MS = 200;

/** Through everything this person may read. */
export function SearchPanel({ onFound, onClose }: Props) {
  const { parley } = useMe();
  const names = useNames();
  const [text, setText] = useState('');
  const [hits, setHits] = useState<readonly SearchHit[]>();
  const [problem, setProblem] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    setProblem('');
    if (text.trim() === '') return setHits(undefined);
    let wanted = true;
    const timer = setTimeout(() => {
      parley.api.search(text.trim()).then(
        ({ items }) => wanted && setHits(items),
        () => wanted && setProblem('The search cannot be reached now.'),
      );
    }, PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <aside class="side" aria-label="Search" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <header class="side-head">
        <input
          ref={field}
          class="field"
          type="search"
          aria-label="Search messages"
          placeholder="Search messages"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <IconButton icon="close" label="Close the search" onClick={onClose} />
      </header>
      <div role="status" class="hidden-visually">
        {hits ? `${hits.length} found` : ''}
      </div>
      <ul class="hits">
        {hits?.map(({ message, highlight }) => (
          <li key={message.id}>
            <button type="button" class="hit" onClick={() => onFound(message.conversationId, message.seq)}>
              <span class="row-top">
                <strong>{names(message.senderId)}</strong>
                <time>{shortTime(message.createdAt)}</time>
              </span>
              <span>
                <Highlighted html={highlight} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {problem && <p class="notice warn">{problem}</p>}
      {!problem && hits?.length === 0 && <p class="empty">Nothing says “{text.trim()}”.</p>}
      {!problem && !hits && <p class="empty">Try “croissants”, or “bench”.</p>}
    </aside>
  );
}

/** The server sends escaped text with marks in it. It is taken apart again, so that none of it is ever markup here. */
function Highlighted({ html }: { html: string }) {
  return html
    .split(/(<mark>.*?<\/mark>)/s)
    .map((part, i) =>
      part.startsWith('<mark>') ? <mark key={i}>{unescape(part.slice(6, -7))}</mark> : unescape(part),
    );
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", amp: '&' };
const unescape = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|#39|#x27|amp);/g, (_, name: string) => entities[name] ?? '');
