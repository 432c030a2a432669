import { escapeLike, handlePattern, isLocale, isTimeZone, parseIdentifier } from './users.rules.js';

describe('parseIdentifier', () => {
  it.each([
    ['Ada@Example.COM', { kind: 'email', value: 'ada@example.com' }],
    ['  a+b.c@sub.example.co.uk ', { kind: 'email', value: 'a+b.c@sub.example.co.uk' }],
    ['+4915112345678', { kind: 'phone', value: '+4915112345678' }],
  ])('reads %j', (text, expected) => expect(parseIdentifier(text)).toEqual(expected));

  it.each([
    '',
    ' ',
    '@',
    'a@',
    '@b.c',
    'a@b',
    'a@b..c',
    'a..b@c.de',
    '.a@b.de',
    'a.@b.de',
    'a b@c.de',
    'a@-b.de',
    'a@b-.de',

    'a@b.de\u0000',
    'a@b.de\nx',
    'ａ@b.de',
    'а@b.de',
    'a@bücher.de',
    '"a"@b.de',
    'a@[127.0.0.1]',
    `${'a'.repeat(65)}@b.de`,

    '4915112345678',
    '+0151',
    '+123456',
    '+1234567890123456',
    '+49 151 12345678',
    '+４９１５１１２３４５',
    '00491511234567',
  ])('refuses %j', (text) => expect(parseIdentifier(text)).toBeUndefined());

  it('answers at once whatever it is given', () => {
    expect(parseIdentifier(`${'a.'.repeat(200)}@`)).toBeUndefined();
    expect(parseIdentifier(`a@${'a-'.repeat(120)}`)).toBeUndefined();
  });
});

it.each(['ab', 'a'.repeat(33), 'Ada', 'a-b', 'a b', 'аda', 'ａda', 'ada\n', 'ada\u0000', 'ad\u0301a', ''])(
  '%j is no handle',
  (text) => expect(handlePattern.test(text)).toBe(false),
);

it.each([
  ['en', true],
  ['pt-BR', true],
  ['zh-Hant-TW', true],
  ['', false],
  ['e', false],
  ['en_US', false],
])('whether %j is a locale: %s', (tag, expected) => expect(isLocale(tag)).toBe(expected));

it.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['+02:00', false],
  ['Mars/Olympus', false],
  ['', false],
])('whether %j is a time zone: %s', (name, expected) => expect(isTimeZone(name)).toBe(expected));

it('escapes what LIKE would take for a pattern', () => {
  expect(escapeLike(String.raw`50%_\off`)).toBe(String.raw`50\%\_\\off`);
});
