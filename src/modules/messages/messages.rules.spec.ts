import { type SendFields, sendMessageBody } from './dto/send-message.dto.js';
import { checkLimits, payloadHash } from './messages.rules.js';

const id = '0190a000-0000-7000-8000-000000000001';
const send = (fields: Record<string, unknown>): SendFields => sendMessageBody.parse({ clientId: id, ...fields });

describe('payloadHash', () => {
  const base = { kind: 'custom', body: 'text', meta: { a: 1, b: { c: [1, 2] } }, mentions: [id] };

  it('is the same for the same message, however it was written down', () => {
    const hash = payloadHash(send(base));
    expect(payloadHash(send({ ...base, meta: { b: { c: [1, 2] }, a: 1 }, mentionAll: false, silent: false }))).toBe(
      hash,
    );
    expect(payloadHash(send({ ...base, markRead: false }))).toBe(hash);
  });

  it('never changes: it is stored with messages for ever', () => {
    expect(payloadHash(send({ body: 'Hello' }))).toBe('wuymeCym_wOXFKihG0cOlXnTKJ_4BVxJURTLW00f2Gk');
  });

  it.each<[string, Record<string, unknown>]>([
    ['body', { body: 'Text' }],
    ['meta', { meta: { a: 1, b: { c: [2, 1] } } }],
    ['replyToSeq', { replyToSeq: 1 }],
    ['threadId', { threadId: id }],
    ['attachmentIds', { attachmentIds: [id] }],
    ['mentions', { mentions: [] }],
    ['mentionAll', { mentionAll: true }],
    ['silent', { silent: true }],
  ])('differs with another %s', (_, change) => {
    expect(payloadHash(send({ ...base, ...change }))).not.toBe(payloadHash(send(base)));
  });
});

describe('checkLimits', () => {
  const limits = { MESSAGE_MAX_CHARS: 3, MESSAGE_MAX_ATTACHMENTS: 1 };

  it('counts characters as people do', () => {
    expect(() => checkLimits({ body: '😀😀😀' }, limits)).not.toThrow();
    expect(() => checkLimits({ body: '😀😀😀😀' }, limits)).toThrow('At most 3 characters');
  });

  it('counts files', () => {
    expect(() => checkLimits({ attachmentIds: [id] }, limits)).not.toThrow();
    expect(() => checkLimits({ attachmentIds: [id, id] }, limits)).toThrow('At most 1 attachments');
  });
});
