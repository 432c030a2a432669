import { z } from 'zod';

// Control characters, line separators, and the marks that turn the reading direction of what follows. Joiners stay:
// emoji and several scripts need them.
const forbidden = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;
const forbiddenInText = /[^\P{Cc}\n\t]|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** How people count: an emoji outside the basic plane is one character, not two. */
export const characters = (text: string): number => Array.from(text).length;

/** A member that breaks a rule the schema language has no word for; `code` is what the client sees. */
export const refuse = (context: z.RefinementCtx, code: string, message: string): void =>
  context.addIssue({ code: 'custom', message, params: { code } });

/** Text as people type it: blanks at the ends are dropped, its length counts characters. */
const text = (min: number, max: number, pattern: RegExp) =>
  z
    .string()
    .trim()
    .superRefine((value, context) => {
      const length = characters(value);
      if (!value.isWellFormed()) refuse(context, 'malformed_text', 'Contains half of a surrogate pair');
      else if (pattern.test(value)) refuse(context, 'control_character', 'Contains a control or direction character');
      else if (length > max) refuse(context, 'too_long', `At most ${max} characters`);
      else if (length < min || (min > 0 && !visible.test(value)))
        refuse(context, 'too_short', `At least ${min} visible ${min === 1 ? 'character' : 'characters'}`);
    })
    .transform((value) => value.normalize('NFC'));

/** One line: names, titles. */
export const line = (min: number, max: number) => text(min, max, forbidden);
/** Several lines: descriptions. */
export const paragraph = (min: number, max: number) => text(min, max, forbiddenInText);

/** An id of Parley's own. */
export const uuid = z.uuid().transform((id) => id.toLowerCase());
