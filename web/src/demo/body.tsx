import type { ComponentChildren } from 'preact';
import { useContext } from 'preact/hooks';
import { People } from './people.js';

const onlyEmoji = /^(?:\p{Extended_Pictographic}(?:\u200d|\ufe0f|\p{Emoji_Modifier})*\s?){1,3}$/u;

/** The text of a message with its mentions; up to three emoji alone are shown large. */
export function Body({ text }: { text: string }) {
  const people = useContext(People);
  const names = new Set([...people.values()].map(({ firstName }) => firstName));
  const parts: ComponentChildren[] = text.split(/(@[\p{L}]+)/u).map((part, i) =>
    part.startsWith('@') && names.has(part.slice(1)) ? (
      <b key={i} class="mention">
        {part}
      </b>
    ) : (
      part
    ),
  );
  return <p class={onlyEmoji.test(text) ? 'body emoji' : 'body'}>{parts}</p>;
}
