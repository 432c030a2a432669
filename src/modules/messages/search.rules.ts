const AROUND = 60;
const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);
const escapeRegExp = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

/** The words of a query as people type them: quotes group, a minus excludes. */
export const wordsOf = (q: string): string[] => q.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

/**
 * The part of a text around the first word found, as HTML: everything escaped, found words in `<mark>`. A match that is
 * only similar has nothing to mark and shows the beginning.
 */
export function highlight(text: string, q: string): string {
  const words = wordsOf(q).toSorted((a, b) => b.length - a.length);
  const pattern = words.length > 0 ? new RegExp(words.map(escapeRegExp).join('|'), 'giu') : undefined;
  const first = pattern ? text.search(pattern) : -1;
  const start = boundary(text, Math.max(0, first - AROUND));
  const end = boundary(text, Math.min(text.length, Math.max(first, 0) + 2 * AROUND));
  let html = start > 0 ? '…' : '';
  let at = start;
  const part = text.slice(0, end);
  if (pattern) {
    pattern.lastIndex = start;
    for (let match = pattern.exec(part); match; match = pattern.exec(part)) {
      html += `${escapeHtml(part.slice(at, match.index))}<mark>${escapeHtml(match[0])}</mark>`;
      at = match.index + match[0].length;
    }
  }
  return html + escapeHtml(part.slice(at)) + (end < text.length ? '…' : '');
}

/** Not inside a surrogate pair. */
const boundary = (text: string, at: number): number => {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
};
