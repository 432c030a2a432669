// The tables of docs/architecture.md as data. These decide: dependency-cruiser, the linter of the house and the module
// diagram read them.

/** Who may call whom. A module without a row fails the check. */
export const modules = {
  users: [],
  conversations: ['users'],
  media: ['users'],
  messages: ['users', 'conversations', 'media'],
  presence: ['users', 'conversations'],
  notifications: ['users', 'conversations', 'messages'],
  administration: ['users', 'conversations', 'messages', 'media', 'notifications'],
  operations: ['users'],
  demo: ['users', 'conversations', 'messages'],
};

/** The capabilities of the platform, row by row. One may import those of the rows above its own. */
export const capabilities = [
  ['clock'],
  ['config'],
  ['logging'],
  ['errors'],
  ['lifecycle'],
  ['database'],
  ['queue', 'storage'],
  ['events'],
  ['auth'],
  ['ratelimit'],
  ['http'],
  ['realtime'],
];

/** The files of a module which others may import, `$1` being its name. */
export const publicFiles = '($1\\.(module|service|events)\\.ts|dto/[^/]+\\.view\\.ts)$';
