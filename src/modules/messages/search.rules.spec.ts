import { highlight } from './search.rules.js';

describe('highlight', () => {
  it.each([
    ['The quick fox', 'QUICK', 'The <mark>quick</mark> fox'],
    ['a fox, a Fox and foxes', 'fox', 'a <mark>fox</mark>, a <mark>Fox</mark> and <mark>fox</mark>es'],
    [
      '<img src=x onerror=alert(1)> "fox"',
      'img fox',
      '&lt;<mark>img</mark> src=x onerror=alert(1)&gt; &quot;<mark>fox</mark>&quot;',
    ],
    ['only similar', 'simular', 'only similar'],
    ['a+b (c)', 'a+b (c)', '<mark>a</mark>+<mark>b</mark> (<mark>c</mark>)'],
    ['مرحبا بالعالم', 'بالعالم', 'مرحبا <mark>بالعالم</mark>'],
    ['no words to look for', '???', 'no words to look for'],
  ])('%s, looking for %s', (text, q, html) => {
    expect(highlight(text, q)).toBe(html);
  });

  it('shows the part around the first match, and says where it was cut', () => {
    const html = highlight(`${'a '.repeat(100)}needle${' b'.repeat(100)}`, 'needle');
    expect(html).toMatch(/^…(?:a ){30}<mark>needle<\/mark>(?: b){57}…$/);
  });

  it('never cuts a character in two', () => {
    for (let shift = 0; shift < 4; shift++) {
      const html = highlight(`${'x'.repeat(shift)}${'😀'.repeat(100)}needle${'😀'.repeat(100)}`, 'needle');
      expect(html.isWellFormed()).toBe(true);
    }
  });
});
