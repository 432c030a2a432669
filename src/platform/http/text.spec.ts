import { line, paragraph, uuid } from './text.js';

const outcome = (schema: ReturnType<typeof line>, text: string): string => {
  const { success, data, error } = schema.safeParse(text);
  const issue = error?.issues[0] as { params?: { code: string } } | undefined;
  return success ? data : `! ${issue?.params?.code ?? 'invalid'}`;
};

it.each([
  ['Ada', 'Ada'],
  [' \u00a0Ada\t', 'Ada'],
  ['Zoe\u0308', 'Zo\u00eb'],
  ['👩‍👩‍👧', '👩‍👩‍👧'],
  ['نام‌خانه', 'نام‌خانه'],
  ['x'.repeat(8), 'x'.repeat(8)],
  ['𝔛'.repeat(8), '𝔛'.repeat(8)],
  ['x'.repeat(9), '! too_long'],
  ['', '! too_short'],
  [' \u2003 ', '! too_short'],
  ['\u200b\u2060', '! too_short'],
  ['a\u0000', '! control_character'],
  ['a\u0085b', '! control_character'],
  ['a\nb', '! control_character'],
  ['a\u2028b', '! control_character'],
  ['a\u202eb', '! control_character'],
  ['a\u2066b', '! control_character'],
  ['a\ud800', '! malformed_text'],
])('a line from %j is %j', (text, expected) => expect(outcome(line(1, 8), text)).toBe(expected));

it.each([
  ['one\ntwo\tthree', 'one\ntwo\tthree'],
  ['', ''],
  ['a\rb', '! control_character'],
  ['a\u0000', '! control_character'],
])('a paragraph from %j is %j', (text, expected) => expect(outcome(paragraph(0, 100), text)).toBe(expected));

it('ids come in small letters', () => {
  expect(uuid.parse('0190E4C2-7B1A-7C3D-8E5F-001122334455')).toBe('0190e4c2-7b1a-7c3d-8e5f-001122334455');
  expect(uuid.safeParse('0190E4C2').success).toBe(false);
});
