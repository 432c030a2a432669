import { splitStatements } from './statements.mjs';

/**
 * The plain statements of a PL/pgSQL block, each with the conditions it stands under. Reads as much of the language as
 * guards need: IF, ELSIF, ELSE, loops (what a loop runs over is a condition, too) and nested blocks.
 *
 * @param {string} body
 * @returns {{ code: string, conditions: string[] }[]}
 */
export const guardedStatements = (body) => {
  const found = [];
  /** @type {string[]} */
  const open = [];
  let declaring = false;
  for (let { code } of splitStatements(body)) {
    if (/^DECLARE\b/i.test(code)) declaring = true;
    if (declaring && !/^BEGIN\b/i.test(code)) continue;
    declaring = false;
    for (let step = stepOf(code); step; step = stepOf(code)) {
      if (step.closes) open.pop();
      if (step.opens !== undefined) open.push(step.opens);
      code = step.rest.trim();
    }
    if (code) found.push({ code, conditions: [...open] });
  }
  return found;
};

/** What the text begins with, if that is structure: what it closes, the condition it opens, and what follows. */
const stepOf = (code) => {
  for (const [form, step] of STRUCTURE) {
    const found = form.exec(code);
    if (found) return step(found);
  }
  return undefined;
};

const STRUCTURE = [
  [/^IF\b(.*?)\bTHEN\b(.*)$/is, ([, condition, rest]) => ({ opens: condition, rest })],
  [/^ELSIF\b(.*?)\bTHEN\b(.*)$/is, ([, condition, rest]) => ({ closes: true, opens: condition, rest })],
  [/^ELSE\b(.*)$/is, ([, rest]) => ({ closes: true, opens: '', rest })],
  [/^((?:FOR|FOREACH|WHILE)\b.*?\b)?LOOP\b(.*)$/is, ([, header = '', rest]) => ({ opens: header, rest })],
  [/^BEGIN\b(.*)$/is, ([, rest]) => ({ opens: '', rest })],
  [/^END\b/i, () => ({ closes: true, rest: '' })],
];
