import { dispositionOf, folderOf, isAccepted, typeOf } from './media.rules.js';

const text = Buffer.from('Text, with äöü\n');
const binary = Buffer.from([0, 1, 2]);

describe('the type of a file', () => {
  it.each<[string, string | undefined, Buffer, string | undefined]>([
    ['image/png', 'image/png', binary, 'image/png'],
    ['image/png', 'image/jpeg', binary, 'image/jpeg'],
    ['image/png', 'image/apng', binary, 'image/png'],
    ['image/png', undefined, text, undefined],
    ['image/svg+xml', 'application/xml', text, 'image/svg+xml'],
    ['image/svg+xml', undefined, text, 'image/svg+xml'],
    ['image/svg+xml', 'image/png', binary, undefined],
    ['text/html', 'application/xml', text, 'text/html'],
    ['text/plain', undefined, text, 'text/plain'],
    ['text/plain', undefined, binary, undefined],
    ['text/plain', 'application/pdf', text, undefined],
    ['audio/ogg', 'audio/ogg; codecs=opus', binary, 'audio/ogg'],
    ['audio/mp4', 'video/mp4', binary, 'audio/mp4'],
    ['application/vnd.oasis.opendocument.text', 'application/zip', binary, 'application/vnd.oasis.opendocument.text'],
    ['application/zip', 'application/x-msdownload', binary, undefined],
    ['application/octet-stream', 'application/x-msdownload', binary, undefined],
    ['application/octet-stream', 'application/pdf', binary, 'application/pdf'],
    ['application/octet-stream', undefined, binary, 'application/octet-stream'],
  ])('claimed %s, found %s: %#', (claimed, detected, head, type) => {
    expect(typeOf(claimed, detected, head)).toBe(type);
  });

  it('decides what may be sent, and what may be an avatar', () => {
    expect(isAccepted('application/pdf', 'attachment')).toBe(true);
    expect(isAccepted('application/pdf', 'avatar')).toBe(false);
    expect(isAccepted('image/svg+xml', 'avatar')).toBe(false);
    expect(isAccepted('application/x-sh', 'attachment')).toBe(false);
  });
});

describe('the disposition of a file', () => {
  it.each([
    ['image/png', 'inline'],
    ['audio/mpeg', 'inline'],
    ['video/webm', 'inline'],
    ['video/quicktime', 'attachment'],
    ['image/svg+xml', 'attachment'],
    ['text/html', 'attachment'],
    ['text/plain', 'attachment'],
    ['application/pdf', 'attachment'],
  ])('of %s is %s', (mime, kind) => {
    expect(dispositionOf(mime, 'a')).toBe(`${kind}; filename="a"; filename*=UTF-8''a`);
  });

  it('holds any name and nothing but the name', () => {
    const header = dispositionOf('text/plain', `"; x="../é%\\ (1)'*`);
    expect(header).toBe(
      `attachment; filename="_; x=_..____ (1)'*"; filename*=UTF-8''%22%3B%20x%3D%22..%2F%C3%A9%25%5C%20%281%29%27%2A`,
    );
  });
});

it('the folder of a file is what all its objects begin with', () => {
  expect(folderOf('media/ab/abcd/upload')).toBe('media/ab/abcd/');
});
