import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/server-process.js';

export interface Bug {
  /** Compiled file below dist/. */
  file: string;
  /** Text that stands there exactly once, and what takes its place. */
  find: string;
  replace: string;
  /** Added at the end of the file. */
  append?: string;
}

/** A copy of the build, with a bug or without; answers its entry. The product itself has no switch for any of this. */
export function copyBuild(name: string, bug?: Bug): string {
  const copy = join(root, 'test/.artifacts/checker', `build-${name}`);
  cpSync(join(root, 'dist'), copy, { recursive: true, filter: (file) => !file.endsWith('.map') });
  if (bug) plant(join(copy, bug.file), bug);
  return join(copy, 'main.js');
}

function plant(path: string, { file, find, replace, append = '' }: Bug): void {
  const text = readFileSync(path, 'utf8');
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`"${find}" stands ${times} times in ${file}: the planted bug has lost its place`);
  writeFileSync(path, text.replace(find, () => replace) + append);
}

/** Sends are acknowledged, and told, while their transaction is still open. */
export const ackBeforeCommit: Bug = {
  file: 'modules/messages/message-batch.service.js',
  find: 'await appendJointly(this.database,',
  replace: 'await appendAndCommitLater(this.database,',
  append: `
function appendAndCommitLater(database, ...rest) {
  return new Promise((resolve, reject) => {
    const work = async (tx) => {
      resolve(await appendJointly(tx, ...rest));
      await new Promise((next) => setTimeout(next, 400));
    };
    database.tx(work).catch(reject);
  });
}
`,
};

/** Now and then a change is counted as told and is not. */
export const skippedBroadcast: Bug = {
  file: 'platform/realtime/room-sequencer.js',
  find: "this.sender.toConversation(conversationId, 'change', payload, hidden);",
  replace: "if (rev % 7 !== 0) this.sender.toConversation(conversationId, 'change', payload, hidden);",
};

/** Nothing keeps a clientId from being stored twice. */
export const noDedupe: Bug = {
  file: 'modules/messages/message-append.repository.js',
  find: 'const stored = await db.query(',
  replace: 'await dropKey(db);\n    const stored = await db.query(',
  append: `
let dropped;
const dropKey = (db) => (dropped ??= db.execute(sql\`DROP INDEX IF EXISTS messages_conversation_id_sender_id_client_id_key\`));
`,
};
