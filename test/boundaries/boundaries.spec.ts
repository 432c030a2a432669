import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/platform/config/package-root.js';

const root = packageRoot();
const folders = ['src', 'test', 'client', 'web', 'bench'];

/** A tree without a fault, in which every rule has something to look at. */
const sound: Record<string, string> = {
  'src/app.ts': `import './app.module.js';`,
  'src/app.module.ts': `import './modules/users/users.module.js'; import './modules/messages/messages.module.js';`,
  'src/modules/users/users.module.ts': `import './users.service.js'; import './users.controller.js'; import './users.gateway.js';`,
  'src/modules/users/users.service.ts': `import './users.repository.js'; import './users.rules.js';`,
  'src/modules/users/users.rules.ts': `export const rule = 1;`,
  'src/modules/users/users.repository.ts': `import '../../generated/prisma/client.js'; import '@prisma/client'; export const rows = 1;`,
  'src/modules/users/users.controller.ts': `import './users.service.js'; import 'express';`,
  'src/modules/users/users.gateway.ts': `import 'socket.io';`,
  'src/modules/users/dto/user.view.ts': `export interface UserView { id: string }`,
  'src/modules/messages/messages.module.ts': `import './messages.service.js';`,
  'src/modules/messages/messages.service.ts': `import '../users/users.service.js'; import type { UserView } from '../users/dto/user.view.js'; export type V = UserView;`,
  'src/modules/messages/messages.events.ts': `export const event = 1;`,
  'src/generated/prisma/client.ts': `export const client = 1;`,
  'src/platform/clock/clock.ts': `export const now = 1;`,
  'src/platform/logging/log.ts': `import '../clock/clock.js';`,
  'src/platform/database/database.service.ts': `import '@prisma/client'; import './lifecycle/run.js';`,
  'src/platform/database/lifecycle/run.ts': `import 'pg'; import 'node:fs'; import './lock.js';`,
  'src/platform/database/lifecycle/lock.ts': `export const lock = 1;`,
  'test/support/app.ts': `import '../../src/app.module.js';`,
  'client/src/client.ts': `import 'socket.io-client';`,
  'web/src/main.ts': `import '../../client/src/client.js';`,
  'bench/run.ts': `export const load = 1;`,
};

/** One planted fault per rule: rule, file, and the import that breaks it. */
const faults: [rule: string, file: string, specifier: string][] = [
  ['no-cycle', 'src/modules/users/users.rules.ts', './users.service.js'],
  ['no-folder-cycle', 'src/modules/users', '../messages/messages.events.js'],
  ['module-without-row', 'src/modules/stickers/stickers.service.ts', 'pg'],
  ['module-private-file', 'src/modules/messages/messages.service.ts', '../users/users.rules.js'],
  ['module-private-file-from-outside', 'src/app.ts', './modules/users/users.rules.js'],
  ['module-row-users', 'src/modules/users/users.service.ts', '../messages/messages.events.js'],
  ['platform-knows-no-module', 'src/platform/logging/log.ts', '../../modules/users/users.service.js'],
  ['composition-root', 'src/cli.ts', './app.module.js'],
  ['capability-without-row', 'src/platform/helpers/text.ts', '../clock/clock.js'],
  ['capability-order-clock', 'src/platform/clock/clock.ts', '../logging/log.js'],
  ['prisma-in-repositories', 'src/modules/users/users.service.ts', '@prisma/client'],
  ['lifecycle-stands-alone', 'src/platform/database/lifecycle/run.ts', '../database.service.js'],
  ['domain-knows-no-transport', 'src/modules/users/users.service.ts', 'express'],
  ['domain-knows-no-transport', 'src/modules/users/users.repository.ts', './users.controller.js'],
  ['transport-knows-no-repository', 'src/modules/users/users.controller.ts', './users.repository.js'],
  ['outside-knows-no-source', 'bench/run.ts', '../src/app.js'],
  ['source-knows-no-outside', 'src/modules/users/users.rules.ts', '../../../client/src/client.js'],
  ['web-through-client', 'web/src/main.ts', 'socket.io-client'],
];

let tree: string;
const write = (file: string, source: string): void => {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), source);
};

/** What the real configuration says of the tree: "rule file". */
async function violations(): Promise<string[]> {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [program, '--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'json', ...folders];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: tree, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      stdout ? resolve(stdout) : reject(new Error(stderr, { cause: error })),
    );
  });
  const { summary } = JSON.parse(output) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  return summary.violations.map(({ rule, from }) => `${rule.name} ${from}`);
}

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'parley-boundaries-'));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const [file, source] of Object.entries(sound)) write(file, source);
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

it('finds nothing in a sound tree', async () => {
  expect(await violations()).toEqual([]);
});

it('catches a planted fault of every rule', async () => {
  const planted = new Map<string, string>();
  for (const [, place, specifier] of faults) {
    const file = place.endsWith('.ts') ? place : `${place}/users.service.ts`;
    planted.set(file, `import '${specifier}'; ${planted.get(file) ?? sound[file] ?? ''}`);
  }
  for (const [file, source] of planted) write(file, source);
  const found = await violations();
  expect(faults.map(([rule, file]) => `${rule} ${file}`).filter((fault) => !found.includes(fault))).toEqual([]);
});

it('has a planted fault for every kind of rule', async () => {
  // @ts-expect-error plain JavaScript, read by the tool
  const { forbidden } = (await import('../../.dependency-cruiser.mjs')) as { forbidden: { name: string }[] };
  const kind = (name: string): string => name.replace(/^(module-row|capability-order)-.*/, '$1');
  const covered = new Set(faults.map(([rule]) => kind(rule)));
  expect(forbidden.map(({ name }) => kind(name)).filter((name) => !covered.has(name))).toEqual([]);
});
