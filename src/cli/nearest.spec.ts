import { nearest } from './nearest.js';

it.each([
  ['chta', 'chat'],
  ['chatt', 'chat'],
  ['db stauts', 'db status'],
  ['docter', 'doctor'],
  ['x', undefined],
  ['frobnicate', undefined],
])('%s: %s', (word, meant) => {
  expect(nearest(word, ['chat', 'db status', 'db plan', 'doctor', 'verify'])).toBe(meant);
});
